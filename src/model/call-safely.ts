/**
 * Calls a function of the app. Errors that it throws are reported as uncaught, and stop nothing
 * here.
 */
export function callSafely(call: () => void): void {
  try {
    call()
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown
    })
  }
}
