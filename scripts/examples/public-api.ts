import ts from 'typescript'

/** Something public, named as its users would: `usePgflowStore().startFlow`. */
export interface Documented {
  name: string
  symbol: ts.Symbol
  /** What can be called must have an example; a type may. */
  isRequired: boolean
}

/** What a module exports. */
export function exportsOf(program: ts.Program, file: string): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(file)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) throw new Error(`${file} exports nothing`)
  return checker.getExportsOfModule(module)
}

/** An export, and what can be called on it. */
export function documentedOf(checker: ts.TypeChecker, exported: ts.Symbol): Documented[] {
  const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
  const symbol = isAlias ? checker.getAliasedSymbol(exported) : exported
  const isRequired = (symbol.flags & ts.SymbolFlags.Value) !== 0
  const itself = { name: exported.name, symbol, isRequired }
  if (!isRequired) return [itself]
  const members = [...methodsOf(checker, symbol), ...storeMembersOf(checker, symbol)]
  return [
    itself,
    ...members.map(([path, member]) => {
      return { name: `${exported.name}${path}`, symbol: member, isRequired }
    }),
  ]
}

/** The examples in the doc comment of something. */
export function examplesOf(checker: ts.TypeChecker, { symbol }: Documented): string[] {
  return symbol
    .getJsDocTags(checker)
    .filter((tag) => tag.name === 'example')
    .map(({ text }) => ts.displayPartsToString(text).replace(/^```.*$/gm, ''))
}

/** The public methods that a class declares; none for anything else. */
function methodsOf(checker: ts.TypeChecker, symbol: ts.Symbol): [string, ts.Symbol][] {
  if (!(symbol.flags & ts.SymbolFlags.Class)) return []
  const members = checker.getDeclaredTypeOfSymbol(symbol).getProperties()
  return members.flatMap((member): [string, ts.Symbol][] => {
    const [declaration] = member.declarations ?? []
    if (!declaration || !ts.isMethodDeclaration(declaration)) return []
    const isHidden = ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private
    const isOwn = declaration.parent === symbol.valueDeclaration
    const isPublic = isOwn && !isHidden && !ts.isPrivateIdentifier(declaration.name)
    return isPublic ? [[`.prototype.${member.name}`, member]] : []
  })
}

/** The actions of a store, and its getters that are functions; none for anything else. */
function storeMembersOf(checker: ts.TypeChecker, symbol: ts.Symbol): [string, ts.Symbol][] {
  const [signature] = checker.getTypeOfSymbol(symbol).getCallSignatures()
  const store = signature?.getReturnType()
  if (!store?.getProperty('$id')) return []
  return store.getProperties().flatMap((member): [string, ts.Symbol][] => {
    const [declaration] = member.declarations ?? []
    // What Pinia adds to every store is declared in its types, not returned by a set-up function.
    if (!declaration || !ts.isShorthandPropertyAssignment(declaration)) return []
    const isCallable = checker.getTypeOfSymbol(member).getCallSignatures().length > 0
    const returned = checker.getShorthandAssignmentValueSymbol(declaration)
    return isCallable && returned ? [[`().${member.name}`, returned]] : []
  })
}
