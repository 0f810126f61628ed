import { MemoryFS, PGlite } from '@electric-sql/pglite'

/** A file of a data directory, or a folder where `data` is null. */
export interface PreparedFile {
  /** Within the data directory, as `base/5/1255`. */
  path: string
  data: Uint8Array | null
}

/** What is used of Emscripten's file system; PGlite's types name those of a package it has not got. */
interface FileSystem {
  mkdirTree(path: string): void
  writeFile(path: string, data: Uint8Array): void
}

const blockSize = 512

/** Reads the tar archive that PGlite dumps; the data are views of the archive, not copies. */
export function readArchive({ buffer, byteOffset, byteLength }: Uint8Array): PreparedFile[] {
  // No `Buffer`: its `slice` makes a view, where the file system takes it for a copy of its own.
  const archive = new Uint8Array(buffer, byteOffset, byteLength)
  const files: PreparedFile[] = []
  let offset = 0
  while (offset + blockSize <= archive.length && archive[offset] !== 0) {
    const text = (start: number, length: number) => {
      const field = archive.subarray(offset + start, offset + start + length)
      const end = field.indexOf(0)
      return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end))
    }
    const prefix = text(345, 155)
    const name = prefix ? `${prefix}/${text(0, 100)}` : text(0, 100)
    const size = parseInt(text(124, 12), 8)
    const isFolder = text(156, 1) === '5'
    const path = name.replace(/^\/+|\/+$/g, '')
    offset += blockSize
    const data = isFolder ? null : archive.subarray(offset, offset + size)
    if (isFolder || !isOfTemplate(path)) files.push({ path, data })
    offset += Math.ceil(size / blockSize) * blockSize
  }
  return files
}

/** Other databases would be made from these two, which are a third of all data. */
function isOfTemplate(path: string): boolean {
  return /^base\/[14]\//.test(path)
}

/**
 * The memory of a database with a data directory in it. PGlite can load the archive itself, but looks
 * up every folder on the way to each of a thousand files, which takes longer than all the rest of a
 * boot.
 */
export class PreparedMemory extends MemoryFS {
  readonly #files: readonly PreparedFile[]

  constructor(files: readonly PreparedFile[]) {
    super()
    this.#files = files
  }

  override initialSyncFs(): Promise<void> {
    if (!this.pg) throw new Error('PGlite reads its files before it has a file system')
    const { Module } = this.pg
    // They are read after these files, but only to create what the database has already, or never has:
    // @supabase/lite adds four more, and linking pgcrypto takes a quarter of a boot.
    for (const name of Object.keys(Module.pg_extensions)) {
      Reflect.deleteProperty(Module.pg_extensions, name)
    }
    const fileSystem = Module.FS as FileSystem
    const root = PGlite.paths.PGDATA
    const folders = new Set<string>()
    for (const { path, data } of this.#files) {
      const folder = data ? path.slice(0, Math.max(path.lastIndexOf('/'), 0)) : path
      if (!folders.has(folder)) fileSystem.mkdirTree(`${root}/${folder}`)
      folders.add(folder)
      if (data) fileSystem.writeFile(`${root}/${path}`, data)
    }
    return Promise.resolve()
  }
}
