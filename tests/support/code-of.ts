/** The code that a promise is rejected with, or `none` when it is not. */
export function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
  )
}
