import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { MemoryDatabase } from '../../src/testing/database.ts'
import { defineFlow, type StepDefinition } from '../../src/testing/definition.ts'
import { jsonbBytes } from '../../src/testing/jsonb-size.ts'
import type { Message } from '../../src/testing/rows.ts'
import type { RunRecord } from '../../src/testing/run-record.ts'
import { openTestDatabase, type TestDatabase } from '../sql/support/database.ts'
import { comparable } from './support/comparable.ts'
import {
  generatedFlow,
  generatedJson,
  maxPayloadBytes,
  type Answer,
  type GeneratedFlow,
} from './support/generated-flows.ts'
import { playOnPostgres, preparePlays } from './support/play-postgres.ts'
import type { Move } from './support/scenarios.ts'
import { inOneOrder } from './support/undecided-order.ts'

/**
 * How many flows are played: CONFORMANCE_RUNS for more of them, CONFORMANCE_SEED and CONFORMANCE_PATH
 * to play again what failed.
 */
const { CONFORMANCE_RUNS = 200, CONFORMANCE_SEED, CONFORMANCE_PATH } = process.env
const numRuns = Number(CONFORMANCE_RUNS)
const again = CONFORMANCE_SEED === undefined ? {} : { seed: Number(CONFORMANCE_SEED) }
const options = { numRuns, ...again, ...(CONFORMANCE_PATH && { path: CONFORMANCE_PATH }) }

let db: TestDatabase
beforeAll(async () => {
  db = await openTestDatabase()
  await preparePlays(db, maxPayloadBytes)
})
afterAll(() => db.close())

/** Plays a flow in memory, and writes down what was done. */
function playInMemory(
  { flow, maxAttempts, input, answers }: GeneratedFlow,
  flowSlug: string,
  limit = maxPayloadBytes,
) {
  const messages: Message[] = []
  const memory = new MemoryDatabase({
    flows: [defineFlow(flowSlug, flow)],
    isPrivate: false,
    maxPayloadBytes: limit,
    onMessage: (message) => messages.push(message),
    onStart: () => {},
  })
  const record = memory.startFlow(flowSlug, input, randomUUID(), null)
  const told = [record.snapshot()]
  const moves: Move[] = []
  const make = (move: Move) => {
    apply(record, move, maxAttempts)
    moves.push(move)
    told.push(record.snapshot())
  }
  for (const answer of answers) {
    const [first, ...more] = tasksUnderWay(record, answer.pick)
    if (!first) break
    make(actionOf(record, first, answer))
    if (answer.kind !== 'many') continue
    for (const task of more)
      if (!record.isOver && task.step === first.step) make(actionOf(record, task, answer))
  }
  return { record, moves, messages, told }
}

/**
 * What to compare, without what nobody decides: of several map steps that do not get their array,
 * pgflow names whichever comes first.
 */
function decided(all: unknown): unknown {
  const text = JSON.stringify(all).replace(/(?<=TYPE_VIOLATION\] Map step )\w+/g, 'any')
  return comparable(JSON.parse(text))
}

/** Whether it depends on the length of times, which end without zeros, what is left out of messages. */
function dependsOnTimes(generated: GeneratedFlow, flowSlug: string): boolean {
  const [less, more] = [-16, 16].map((bytes) =>
    playInMemory(generated, flowSlug, maxPayloadBytes + bytes).messages.map(
      ({ payload }) => payload.truncated,
    ),
  )
  return JSON.stringify(less) !== JSON.stringify(more)
}

interface TaskUnderWay {
  step: StepDefinition
  index: number
}

/** The tasks that a worker may answer, the one it picks first. */
function tasksUnderWay(record: RunRecord, pick: number): TaskUnderWay[] {
  if (record.isOver) return []
  const tasks = record.flow.steps
    .filter(({ slug }) => record.step(slug)?.status === 'started')
    .flatMap((step) =>
      record.tasks(step.slug).flatMap(({ isDone }, index) => (isDone ? [] : { step, index })),
    )
  const at = pick % Math.max(tasks.length, 1)
  return [...tasks.slice(at), ...tasks.slice(0, at)]
}

function actionOf(record: RunRecord, { step, index }: TaskUnderWay, answer: Answer): Move {
  const task = { step: step.slug, task: index }
  if (answer.kind === 'failure') return { ...task, failure: answer.message }
  const isMapped = record.flow.steps.some(({ isMap, deps }) => isMap && deps.includes(step.slug))
  const output = isMapped && !step.isMap && answer.isList ? answer.list : answer.output
  return { ...task, output }
}

function apply(record: RunRecord, move: Move, maxAttempts: number): void {
  const step = record.flow.steps.find(({ slug }) => slug === move.step)
  const index = move.task ?? 0
  const task = record.tasks(move.step)[index]
  if (!step || !task) throw new Error('no such task')
  if ('output' in move) record.completeTask(step, index, move.output)
  else if (task.attempts < maxAttempts) record.retryTask(step, index, move.failure)
  else record.failTask(step, move.failure)
}

it('the size of JSON is that of the text that Postgres makes of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(generatedJson, { minLength: 1, maxLength: 50 }), async (values) => {
      const [row] = await db.query<{ bytes: number[] }>(
        `select array_agg(octet_length(value::text)::int order by position) as bytes
         from jsonb_array_elements($1::jsonb) with ordinality as given (value, position)`,
        [JSON.stringify(values)],
      )
      expect(values.map(jsonbBytes)).toEqual(row?.bytes)
    }),
  )
})

it(`any flow sends and returns the same in memory as on Postgres (${numRuns} of them)`, async () => {
  await fc.assert(
    fc.asyncProperty(generatedFlow, async (generated) => {
      const flowSlug = `flow_${randomUUID().replaceAll('-', '')}`
      const { record, moves, messages, told } = playInMemory(generated, flowSlug)
      fc.pre(!dependsOnTimes(generated, flowSlug))
      const real = await playOnPostgres(db, {
        ...generated,
        ...{ flowSlug, runId: record.run.run_id, moves },
      })
      const memory = messages.map(({ name, payload }) => ({ name, payload }))
      const sent = real.sent.map(({ event, payload }) => ({ name: event, payload }))
      expect(decided({ sent: inOneOrder(memory, generated), told })).toEqual(
        decided({ sent: inOneOrder(sent, generated), told: real.told }),
      )
    }),
    // Simpler and simpler flows that fail are looked for until then.
    { ...options, interruptAfterTimeLimit: numRuns * 200 },
  )
}, 600_000)
