import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend } from '../support/backend.ts'
import { Greet, servesARun } from './support/greet.ts'

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([Greet])
})
afterAll(() => backend.close())

const hostileJson = fc.oneof(
  fc.jsonValue().map((value) => JSON.stringify(value)),
  fc.constantFrom(
    ...['', '{', 'NaN', '1e999', '"\\u0000"', '"\\ud800"', '{"__proto__":1}', '{"a":1,"a":2}'],
    '['.repeat(50_000) + ']'.repeat(50_000),
    '{"a":'.repeat(5_000) + '1' + '}'.repeat(5_000),
  ),
)
const rpcArguments = fc
  .tuple(
    fc.oneof(fc.constant('"greet"'), hostileJson),
    hostileJson,
    fc.oneof(
      fc.uuid().map((id) => JSON.stringify(id)),
      hostileJson,
    ),
  )
  .map(([slug, input, id]) => `{"p_flow_slug":${slug},"p_input":${input},"p_run_id":${id}}`)
const query = fc.constantFrom(
  ...['', '?select=*', '?select=%00', '?limit=-1', '?offset=x', '?order=a.b.c', '?id=in.('],
  ...['?__proto__=eq.1', '?columns=__proto__', '?p_flow_slug=%00'],
  `?select=${'a('.repeat(2_000)}`,
  `?or=${'(and'.repeat(2_000)}`,
)
const profile = fc.constantFrom('pgflow_client', 'public', '__proto__', 'pg_catalog', 'é')
const contentType = fc.constantFrom('application/json', 'text/csv', 'multipart/form-data', 'x')

it('whatever is asked of what exists, no transaction and no role stay behind', async () => {
  const asked = fc.record({
    path: fc.constantFrom('rpc/start_flow_with_states', 'rpc/get_runs', 'rpc/__proto__', 'runs'),
    query,
    method: fc.constantFrom('POST', 'POST', 'GET', 'PATCH', 'DELETE'),
    profile,
    contentType,
    content: fc.oneof(rpcArguments, hostileJson),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ path, query, method, profile, contentType, content }) => {
      const response = await fetch(`${backend.url}/rest/v1/${path}${query}`, {
        method,
        headers: {
          apikey: backend.anonKey,
          'content-type': contentType,
          'content-profile': profile,
          'accept-profile': profile,
        },
        ...(method !== 'GET' && { body: content }),
      })
      await response.arrayBuffer()
      const [state] = await backend.db.query(
        'select current_user as role, txid_current_if_assigned() is null as free',
      )
      expect(state).toEqual({ role: 'postgres', free: true })
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 150) },
  )
  await servesARun(backend)
})

it.each([
  ...['__proto__=eq.1', '"__proto__"=in.(1)', '%5F_proto__=not.eq.1', 'constructor=eq.1'],
  ...['toString=eq.1', 'select=*,__proto__(then)&__proto__.then=eq.1'],
])('a filter writes to no object that is not its own: %s', async (query) => {
  const shared = [Object, Object.prototype]
  const names = () => shared.map((each) => Reflect.ownKeys(each).length)
  const before = names()
  const response = await fetch(`${backend.url}/rest/v1/runs?${query}`, {
    headers: { apikey: backend.anonKey },
  })
  expect(response.status).toBe(400)
  expect(names()).toEqual(before)
})
