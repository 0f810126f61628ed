/**
 * The REST layer has a code of its own, and status 500, for what a function raises without a
 * SQLSTATE: `raise exception` alone. PostgREST answers 400 and P0001, which says that the database
 * has answered.
 */
export function asPostgrest(response: Response, body: ArrayBuffer): Response {
  if (response.status !== 500) return new Response(body, response)
  const error = readError(body)
  if (!error?.message.startsWith(prefix)) return new Response(body, response)
  const raised = { ...error, code: 'P0001', message: error.message.slice(prefix.length) }
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  return Response.json(raised, { status: 400, headers })
}

/** How an error of the database writes itself; others are errors of the REST layer. */
const prefix = 'error: '

interface RestError {
  code: 'SUP'
  message: string
}

function readError(body: ArrayBuffer): RestError | undefined {
  const text = new TextDecoder().decode(body)
  const error: unknown = text.startsWith('{') ? JSON.parse(text) : undefined
  return isRestError(error) ? error : undefined
}

function isRestError(error: unknown): error is RestError {
  if (typeof error !== 'object' || error === null) return false
  if (!('code' in error) || !('message' in error)) return false
  return error.code === 'SUP' && typeof error.message === 'string'
}
