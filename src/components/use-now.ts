import {
  onActivated,
  onBeforeUnmount,
  onDeactivated,
  onMounted,
  shallowRef,
  watchEffect,
  type ShallowRef,
} from 'vue'

/** How often a running time is updated, in ms. */
const tick = 250
/** The same for people who want less motion. */
const calmTick = 1000

/**
 * The time in ms since 1970, which runs only while `isRunning`, the component is mounted and shown
 * and the page is visible. Null until it is mounted: a server and the first rendering in the
 * browser have to agree.
 */
export function useNow(isRunning: () => boolean): Readonly<ShallowRef<number | null>> {
  const now = shallowRef<number | null>(null)
  const isShown = shallowRef(false)
  let timer: ReturnType<typeof setInterval> | undefined

  function show(): void {
    isShown.value = document.visibilityState !== 'hidden'
  }
  function hide(): void {
    isShown.value = false
  }
  function stop(): void {
    clearInterval(timer)
    timer = undefined
  }
  function start(): void {
    const isCalm =
      'matchMedia' in window && window.matchMedia('(prefers-reduced-motion: reduce)').matches
    const update = () => void (now.value = Date.now())
    update()
    timer = setInterval(update, isCalm ? calmTick : tick)
  }

  onMounted(() => {
    now.value = Date.now()
    show()
    document.addEventListener('visibilitychange', show)
    watchEffect(() => {
      stop()
      if (isShown.value && isRunning()) start()
    })
  })
  onActivated(show)
  onDeactivated(hide)
  onBeforeUnmount(() => {
    stop()
    document.removeEventListener('visibilitychange', show)
  })
  return now
}
