import { onBeforeUnmount, onMounted, shallowRef, type ShallowRef } from 'vue'

/** The part of a scrolling element that is seen, in px of its content. */
export interface Viewport {
  left: number
  top: number
  width: number
  height: number
}

/** In steps of so many px: what is mounted changes rarely while one scrolls. */
const stepSize = 240

/** What a server assumes, and a browser until it has measured. */
const assumed: Viewport = { left: 0, top: 0, width: 1920, height: 1080 }

/** Follows what is seen of an element that scrolls. It is told only of steps of some hundred px. */
export function useViewport(
  element: Readonly<ShallowRef<HTMLElement | null>>,
): Readonly<ShallowRef<Viewport>> {
  const viewport = shallowRef(assumed)
  let observer: ResizeObserver | undefined

  function measure(): void {
    const measured = element.value
    // Not laid out: in a part of the page that is hidden, or where there is no layout.
    if (!measured || measured.clientHeight === 0) return
    const next = {
      left: Math.floor(measured.scrollLeft / stepSize) * stepSize,
      top: Math.floor(measured.scrollTop / stepSize) * stepSize,
      width: (Math.ceil(measured.clientWidth / stepSize) + 1) * stepSize,
      height: (Math.ceil(measured.clientHeight / stepSize) + 1) * stepSize,
    }
    if (!isSame(viewport.value, next)) viewport.value = next
  }

  onMounted(() => {
    const measured = element.value
    if (!measured) return
    measure()
    measured.addEventListener('scroll', measure, { passive: true })
    if (typeof ResizeObserver === 'undefined') return
    observer = new ResizeObserver(measure)
    observer.observe(measured)
  })
  onBeforeUnmount(() => {
    element.value?.removeEventListener('scroll', measure)
    observer?.disconnect()
  })
  return viewport
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
