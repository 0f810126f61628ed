/** How many lines around a change are shown. */
const context = 2
/** How far the two texts are searched for a line where they agree again. */
const furthest = 200

type Line = readonly [mark: ' ' | '-' | '+', line: string]

/** The lines in which two texts differ, and those around them, marked as `diff -u` does. */
export function lineChanges(before: string, after: string): string[] {
  const lines = compare(linesOf(before), linesOf(after))
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(([mark]) => mark !== ' ')
  return lines.filter((_, index) => isNear(index)).map(([mark, line]) => `${mark} ${line}`)
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/)
}

function compare(old: readonly string[], young: readonly string[]): Line[] {
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < young.length) {
    const [removed, added] = untilSame(old, i, young, j)
    for (const line of old.slice(i, i + removed)) lines.push(['-', line])
    for (const line of young.slice(j, j + added)) lines.push(['+', line])
    i += removed
    j += added
    const same = old[i]
    if (same !== undefined) lines.push([' ', same])
    i += 1
    j += 1
  }
  return lines
}

/** How many lines of each to pass over until both have the same; all of them where they never do. */
function untilSame(old: readonly string[], i: number, young: readonly string[], j: number) {
  for (let passed = 0; passed <= furthest; passed += 1) {
    for (let removed = 0; removed <= passed; removed += 1) {
      const line = old[i + removed]
      if (line !== undefined && line === young[j + passed - removed]) {
        return [removed, passed - removed] as const
      }
    }
  }
  return [old.length - i, young.length - j] as const
}
