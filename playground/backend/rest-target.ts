/** What a request of the REST API is about. */
export interface RestTarget {
  schema: string
  /** Of a function, or of a table. */
  name: string
  isFunction: boolean
}

/**
 * Reads the target of a request under `/rest/v1`; undefined for any other. Without a profile it is in
 * the first of the exposed schemas; which header has the profile depends on the method.
 */
export function readTarget(
  { url, method, headers }: Request,
  [defaultSchema = 'public']: readonly string[],
): RestTarget | undefined {
  const [, rpc, name] =
    /^\/rest\/v1\/(rpc\/)?([^/]+)$/.exec(decodeURIComponent(new URL(url).pathname)) ?? []
  if (name === undefined) return undefined
  const isReading = method === 'GET' || method === 'HEAD'
  const schema = headers.get(isReading ? 'accept-profile' : 'content-profile') ?? defaultSchema
  return { schema, name, isFunction: rpc !== undefined }
}
