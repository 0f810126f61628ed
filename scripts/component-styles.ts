import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The file that apps import as `pinia-pgflow/components.css`. */
export const stylesEntry = fileURLToPath(
  new URL('../src/components/components.css', import.meta.url),
)

/** The styles of the components as one file: what is imported stands where it is imported. */
export function componentStyles(): string {
  const entry = readFileSync(stylesEntry, 'utf8')
  const folder = new URL('../src/components/', import.meta.url)
  return entry
    .trim()
    .split('\n')
    .map((line) => {
      const [, file] = /^@import '(\.\/styles\/[\w-]+\.css)';$/.exec(line) ?? []
      if (file === undefined) throw new Error(`components.css has more than imports: ${line}`)
      return readFileSync(new URL(file, folder), 'utf8')
    })
    .join('\n')
}
