import ts from 'typescript'

/** TypeScript's codes for a name that nothing declares. */
const notFound = new Set([2304, 2552, 18004])

/**
 * For each piece of code the names that it uses and nothing declares. It is checked without the
 * DOM, which has globals called `name` and `status`.
 */
export function findFreeNames(pieces: readonly string[], options: ts.CompilerOptions): string[][] {
  const alone = { ...options, lib: ['lib.es2023.d.ts'], types: [], noResolve: true }
  const host = ts.createCompilerHost(alone)
  const sources = new Map(
    pieces.map((code, index): [string, ts.SourceFile] => {
      const file = `/example-${index}.ts`
      return [file, parse(file, `${code}\nexport {}`)]
    }),
  )
  const program = ts.createProgram([...sources.keys()], alone, {
    ...host,
    getSourceFile: (file, ...rest) => sources.get(file) ?? host.getSourceFile(file, ...rest),
  })
  return [...sources.values()].map((source) =>
    program
      .getSemanticDiagnostics(source)
      .filter(({ code }) => notFound.has(code))
      .map(({ start = 0, length = 0 }) => source.text.slice(start, start + length)),
  )
}

/** The names that a piece of code declares outermost. */
export function declaredNames(code: string): string[] {
  return parse('example.ts', code).statements.flatMap((statement) => {
    if (ts.isFunctionDeclaration(statement)) return statement.name ? [statement.name.text] : []
    if (!ts.isVariableStatement(statement)) return []
    return statement.declarationList.declarations.flatMap(({ name }) => namesOf(name))
  })
}

/** Imports stand at the top of a file; the rest can go into a function. */
export function splitImports(code: string): { imports: string[]; body: string } {
  const { statements } = parse('example.ts', code)
  const found = statements.filter((statement) => ts.isImportDeclaration(statement))
  return {
    imports: found.map(({ pos, end }) => code.slice(pos, end).trim()),
    body: found.reduceRight((text, { pos, end }) => text.slice(0, pos) + text.slice(end), code),
  }
}

function namesOf(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text]
  return name.elements.flatMap((element) =>
    ts.isBindingElement(element) ? namesOf(element.name) : [],
  )
}

function parse(file: string, code: string): ts.SourceFile {
  return ts.createSourceFile(file, code, ts.ScriptTarget.ES2022)
}
