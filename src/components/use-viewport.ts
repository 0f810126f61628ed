import { onMounted, shallowRef, watch, type ShallowRef } from 'vue'

/** The part of a scrolling element that is seen, in px of its content. */
export interface Viewport {
  left: number
  top: number
  width: number
  height: number
}

/** In steps of so many px, so that mounted elements change rarely while scrolling. */
const stepSize = 240

/** The size on a server, and in a browser until it was measured. */
const assumed: Viewport = { left: 0, top: 0, width: 1920, height: 1080 }

/**
 * Follows the visible part of an element that scrolls, in steps of some hundred px. The element may
 * come later, and go.
 */
export function useViewport(
  element: Readonly<ShallowRef<HTMLElement | null>>,
): Readonly<ShallowRef<Viewport>> {
  const viewport = shallowRef(assumed)

  function measure(measured: HTMLElement): void {
    // Not laid out: in a part of the page that is hidden, or where there is no layout.
    if (measured.clientHeight === 0) return
    const next = {
      left: Math.floor(measured.scrollLeft / stepSize) * stepSize,
      top: Math.floor(measured.scrollTop / stepSize) * stepSize,
      width: (Math.ceil(measured.clientWidth / stepSize) + 1) * stepSize,
      height: (Math.ceil(measured.clientHeight / stepSize) + 1) * stepSize,
    }
    if (!isSame(viewport.value, next)) viewport.value = next
  }

  useElement(element, (measured) => {
    const onChange = () => measure(measured)
    measured.addEventListener('scroll', onChange, { passive: true })
    const stop = watchSize(measured, onChange)
    return () => {
      measured.removeEventListener('scroll', onChange)
      stop()
    }
  })
  return viewport
}

/** Whether an element is narrower than `limit` px; a server assumes that it is not. */
export function useIsNarrow(
  element: Readonly<ShallowRef<HTMLElement | null>>,
  limit: number,
): Readonly<ShallowRef<boolean>> {
  const isNarrow = shallowRef(false)
  useElement(element, (measured) =>
    watchSize(measured, () => {
      const { clientWidth } = measured
      if (clientWidth > 0) isNarrow.value = clientWidth < limit
    }),
  )
  return isNarrow
}

/** Calls `begin` with each new element, and the returned function when it is replaced. */
function useElement(
  element: Readonly<ShallowRef<HTMLElement | null>>,
  begin: (element: HTMLElement) => () => void,
): void {
  onMounted(() => {
    watch(
      element,
      (now, _before, onCleanup) => {
        if (now) onCleanup(begin(now))
      },
      { immediate: true, flush: 'post' },
    )
  })
}

/**
 * Calls `measure` now and whenever the size of an element changes, until the returned function is
 * called.
 */
function watchSize(element: HTMLElement, measure: () => void): () => void {
  measure()
  if (typeof ResizeObserver === 'undefined') return () => undefined
  const observer = new ResizeObserver(measure)
  observer.observe(element)
  return () => observer.disconnect()
}

function isSame(a: Viewport, b: Viewport): boolean {
  return a.left === b.left && a.top === b.top && a.width === b.width && a.height === b.height
}

/** The scroll position at which a stretch is seen whole; the present one if it is already. */
export function scrollToShow(
  position: number,
  seen: number,
  start: number,
  length: number,
  margin = 24,
): number {
  if (start - margin < position) return Math.max(0, start - margin)
  if (start + length + margin > position + seen) return start + length + margin - seen
  return position
}
