/**
 * Whether a parameter is named after something that every object inherits. The REST layer keeps
 * filters in objects, by their column: `?__proto__=eq.1` would write to all objects of the process.
 */
export function hasInheritedName(query: URLSearchParams): boolean {
  return [...query.keys()].some((name) =>
    name.split(/[^\w$]+/).some((word) => word in Object.prototype),
  )
}
