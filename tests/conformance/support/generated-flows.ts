import fc from 'fast-check'
import type { Json } from 'pinia-pgflow'
import type { TestFlow } from 'pinia-pgflow/testing'

/** The limit of messages in these flows: the smaller, the faster. */
export const maxPayloadBytes = 4_000

/** What a worker does next, before it is known what there is to do. */
export interface Answer {
  /** Which of the tasks under way. */
  pick: number
  kind: 'output' | 'failure' | 'many'
  output: Json
  /** The output where a map step takes it, most of the time. */
  list: Json[]
  isList: boolean
  message: string
}

/** A flow, its input, and how it is worked on. */
export interface GeneratedFlow {
  flow: TestFlow
  maxAttempts: number
  input: Json
  answers: Answer[]
}

/** Text as Postgres takes it, which has no character 0. */
const text = fc
  .oneof(
    { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }) },
    { weight: 1, arbitrary: fc.constantFrom('x', 'ä', '"', '\n', '😀').map(long) },
  )
  .map((value) => value.replaceAll('\0', ''))

/** Nearly as long as a message may be, or longer. */
function long(unit: string): string {
  return unit.repeat(Math.floor((maxPayloadBytes - 300) / Buffer.byteLength(unit)))
}

const key = fc.string({ unit: 'grapheme', maxLength: 4 }).filter((name) => name !== '__proto__')

/** Any JSON: also what becomes longer, or shorter, as the text that Postgres makes of it. */
export const generatedJson: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((n) => n + 0),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

/** Wide rather than deep: an array whose text has a space after every comma in Postgres. */
const wide = fc
  .integer({ min: maxPayloadBytes / 4, max: maxPayloadBytes / 2 })
  .map((length) => Array<Json>(length).fill(1))

const output = fc.oneof({ weight: 30, arbitrary: generatedJson }, { weight: 1, arbitrary: wide })

const list = fc.oneof(
  { weight: 12, arbitrary: fc.array(generatedJson, { maxLength: 5 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 49, max: 120 }).map((length) => Array<Json>(length).fill(null)),
  },
)

const answer: fc.Arbitrary<Answer> = fc.record({
  pick: fc.nat(1_000),
  kind: fc.oneof(
    { weight: 12, arbitrary: fc.constant('output' as const) },
    { weight: 3, arbitrary: fc.constant('failure' as const) },
    { weight: 1, arbitrary: fc.constant('many' as const) },
  ),
  output,
  list,
  isList: fc.nat(19).map((die) => die > 0),
  message: text,
})

/** Words that every collation sorts alike. */
const slug = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/).filter((word) => word !== 'run')

/** Steps that depend on steps before them, in an order that is not that of their names. */
const flow: fc.Arbitrary<TestFlow> = fc
  .uniqueArray(slug, { minLength: 1, maxLength: 7 })
  .chain((slugs) =>
    fc
      .tuple(
        ...slugs.map((_, index) =>
          fc.record({
            isMap: fc.nat(2).map((die) => die === 0),
            deps: fc.subarray(slugs.slice(0, index)),
          }),
        ),
      )
      .map((steps) =>
        Object.fromEntries(
          steps.map(({ isMap, deps }, index) => [
            slugs[index] ?? '',
            isMap ? { type: 'map' as const, deps: deps.slice(0, 1) } : { deps },
          ]),
        ),
      ),
  )

/** Whatever pgflow takes. */
export const generatedFlow: fc.Arbitrary<GeneratedFlow> = flow.chain((steps) => {
  const isMapped = Object.values(steps).some(
    ({ type, deps = [] }) => type === 'map' && deps.length === 0,
  )
  return fc.record({
    flow: fc.constant(steps),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    input: isMapped ? list : output.filter((value) => value !== null),
    answers: fc.array(answer, { maxLength: 16 }),
  })
})
