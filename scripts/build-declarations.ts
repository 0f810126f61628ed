import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * TypeScript rewrites `./file.ts` to `./file.js` in code but not in declarations; readers of the
 * package have no `.ts` files. The declarations of a component are those of `<name>.vue.js`.
 */
const folder = join(import.meta.dirname, '../dist')
const names = await readdir(folder, { recursive: true })
const declarations = names.filter((name) => name.endsWith('.d.ts'))
for (const name of declarations) {
  const file = join(folder, name)
  const text = await readFile(file, 'utf8')
  await writeFile(
    file,
    text.replaceAll(/(from |import\()'(\.{1,2}\/[^']+)(?:\.ts|(\.vue))'/g, "$1'$2$3.js'"),
  )
}
console.log(`${declarations.length} declarations refer to each other as published`)
