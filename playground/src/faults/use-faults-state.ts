import { onBeforeUnmount, onMounted } from 'vue'
import type { FaultTools } from './fault-tools.ts'

/** Asks what is wrong with the backend, now and whenever somebody comes back to this page. */
export function useFaultsState(tools: FaultTools | undefined): void {
  const look = () => void tools?.look()
  onMounted(() => {
    look()
    // Something may have been switched on another page.
    window.addEventListener('focus', look)
  })
  onBeforeUnmount(() => window.removeEventListener('focus', look))
}
