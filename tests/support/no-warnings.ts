import { afterEach, beforeEach, expect, vi } from 'vitest'

/**
 * A warning is a defect: any console.warn or console.error that a test did not ask for fails it.
 * A test that expects one says so with `expectConsole(/pattern/)`.
 */
const seen: string[] = []
let expected: RegExp[] = []

/** Declares that this test prints a warning or error matching `pattern`. */
export function expectConsole(pattern: RegExp): void {
  expected.push(pattern)
}

beforeEach(() => {
  seen.length = 0
  expected = []
  for (const method of ['warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      seen.push(args.map(String).join(' '))
    })
  }
})

afterEach(() => {
  vi.restoreAllMocks()
  const unexpected = seen.filter(
    (line) =>
      !line.includes('Node.js 20 and below are deprecated') && !expected.some((p) => p.test(line)),
  )
  const missing = expected.filter((pattern) => !seen.some((line) => pattern.test(line)))
  expect(unexpected, 'warnings nobody asserted').toEqual([])
  expect(missing.map(String), 'warnings asserted but never printed').toEqual([])
})
