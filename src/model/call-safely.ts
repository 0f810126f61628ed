/** What the app's own function throws surfaces as its error and stops nothing here. */
export function callSafely(call: () => void): void {
  try {
    call()
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown
    })
  }
}
