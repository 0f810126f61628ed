/** What devtools keep of an inspector, as far as it is used here. */
interface KeptInspector {
  options: { id: string }
  treeFilter: string
}

declare global {
  /** All inspectors of the page. It belongs to devtools and has no documentation. */
  var __VUE_DEVTOOLS_KIT_INSPECTOR__: KeptInspector[] | undefined
}

/**
 * Keeps the text of the search field of an inspector. When a plugin sends a new tree, devtools
 * request it with `treeFilter`, which they never set: they would show the whole tree although the
 * field is not empty. In versions of devtools without `treeFilter` they do.
 */
export function keepFilter(id: string, filter: string): void {
  const kept = globalThis.__VUE_DEVTOOLS_KIT_INSPECTOR__?.find(({ options }) => options.id === id)
  if (kept) kept.treeFilter = filter
}
