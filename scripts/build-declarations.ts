import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/**
 * TypeScript rewrites `./file.ts` to `./file.js` in code but not in declarations; readers of the
 * package have no `.ts` files. The declarations of a component are those of `<name>.vue.js`. Who
 * has not installed `@pgflow/dsl` must be able to compile without `skipLibCheck`: flows are then of
 * any shape. The folder may be given; default `dist`.
 */
const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../dist'))
const names = await readdir(folder, { recursive: true })
const declarations = names.filter((name) => name.endsWith('.d.ts'))
for (const name of declarations) {
  const file = join(folder, name)
  const text = await readFile(file, 'utf8')
  await writeFile(
    file,
    text
      .replaceAll(/(from |import\()'(\.{1,2}\/[^']+)(?:\.ts|(\.vue))'/g, "$1'$2$3.js'")
      .replaceAll(/^import [^;]* from '@pgflow\/dsl';$/gm, '// @ts-ignore: it is optional\n$&'),
  )
}
console.log(`${declarations.length} declarations refer to each other as published`)
