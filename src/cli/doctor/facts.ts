import * as v from 'valibot'
import type { Answer } from '../project.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

/** The result of `pgflow_client.self_test()`; see docs/broadcast-contract.md. */
const factsSchema = v.object({
  version: v.string(),
  visibility: v.picklist(['public', 'private']),
  role: v.string(),
  signed_in: v.boolean(),
  clock_ms: v.number(),
  sent: v.boolean(),
  refused: v.nullable(v.string()),
  may_send: v.boolean(),
  pgflow_sending: count,
  flows: v.array(v.string()),
  flow_count: count,
  startable: v.object({ anon: count, authenticated: count }),
  problem_count: count,
  problems: v.nullable(v.array(v.string())),
})

/** What the database reported about itself over the API. */
export type Facts = v.InferOutput<typeof factsSchema>

/** The facts in a response; undefined if it is not valid. */
export function factsOf({ data }: Answer): Facts | undefined {
  const parsed = v.safeParse(factsSchema, data)
  return parsed.success ? parsed.output : undefined
}
