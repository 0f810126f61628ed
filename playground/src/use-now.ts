import { onScopeDispose, ref, watch, type Ref } from 'vue'

const tickMs = 100

/** The time in ms, ticking only while somebody needs it to. */
export function useNow(isNeeded: () => boolean): Readonly<Ref<number>> {
  const now = ref(Date.now())
  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => clearInterval(timer)
  const tick = () => {
    now.value = Date.now()
  }
  watch(
    isNeeded,
    (needed) => {
      stop()
      if (!needed) return
      tick()
      timer = setInterval(tick, tickMs)
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return now
}
