import { proxyCreateProgram } from '@volar/typescript'
import { createParsedCommandLine, createVueLanguagePlugin } from '@vue/language-core'
import ts from 'typescript'

/** Compiles files that are not on the disk, beside those that are. */
export interface VirtualCompiler {
  options: ts.CompilerOptions
  /** What is wrong in the given files, text by path. `others` are on the disk, and not looked at. */
  check: (files: ReadonlyMap<string, string>, others: readonly string[]) => ts.Diagnostic[]
}

/** A compiler with the options of a project, for TypeScript and Vue. */
export function createVirtualCompiler(tsconfig: string): VirtualCompiler {
  const { options: given, vueOptions } = createParsedCommandLine(ts, ts.sys, tsconfig)
  // Else a .vue file could only be imported, not be compiled as such.
  const options = { ...given, allowNonTsExtensions: true }
  const createProgram = proxyCreateProgram(ts, ts.createProgram, (_ts, { options: own }) => [
    createVueLanguagePlugin(ts, own, vueOptions, (id) => id),
  ])
  // What is on the disk is the same for every program, and parsed once.
  const parsed = new Map<string, ts.SourceFile | undefined>()

  function check(files: ReadonlyMap<string, string>, others: readonly string[]) {
    const host = ts.createCompilerHost(options)
    const folders = new Set([...files.keys()].flatMap(parentsOf))
    const virtual: ts.CompilerHost = {
      ...host,
      fileExists: (file) => files.has(file) || host.fileExists(file),
      readFile: (file) => files.get(file) ?? host.readFile(file),
      directoryExists: (folder) => folders.has(folder) || host.directoryExists?.(folder) !== false,
      getSourceFile: (file, language) => {
        const text = files.get(file)
        if (text !== undefined) return ts.createSourceFile(file, text, language)
        if (!parsed.has(file)) parsed.set(file, host.getSourceFile(file, language))
        return parsed.get(file)
      },
    }
    const rootNames = [...files.keys(), ...others]
    const program = createProgram({ rootNames, options, host: virtual })
    return [...files.keys()].flatMap((file) => {
      const source = program.getSourceFile(file)
      if (!source) throw new Error(`${file} was not compiled.`)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
    })
  }

  return { options, check }
}

function parentsOf(file: string): string[] {
  const parts = file.split('/').slice(1, -1)
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)
}
