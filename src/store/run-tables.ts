import { markRaw, ref, shallowReactive, toRaw, type Ref } from 'vue'
import type { PlainError } from '../errors.ts'
import {
  compareSteps,
  stepKey,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
  type StepRetry,
} from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import { ownValue } from '../model/own-value.ts'
import type { RunPatch, StepPatch } from '../model/wire.ts'

/** A row that a broadcast can change. */
export type Row = PgflowRun | PgflowStep

/** The rows of one kind, by key. */
export interface Table<T> {
  value: Record<string, T>
  /** The same, raw. Kept until the table is replaced: `toRaw` costs more than looking up a row. */
  raw: () => Record<string, T>
}

/** The state of runs: plain rows by id. */
export type RunTables = ReturnType<typeof createRunTables>

/** Creates an empty state. */
export function createRunTables() {
  return {
    /** Runs by `run_id`. */
    runs: tableOf(ref<Record<string, PgflowRun>>({})),
    /** Steps by `run_id/step_slug`. */
    steps: tableOf(ref<Record<string, PgflowStep>>({})),
    /** The step slugs of each run, in the order to show them. */
    stepOrder: tableOf(ref<Record<string, string[]>>({})),
    /** The last failed attempt of steps that are being retried, by `run_id/step_slug`. */
    retries: tableOf(ref<Record<string, StepRetry>>({})),
    /** The errors of outputs that do not match their schema, by `run_id[/step_slug]`. */
    outputErrors: tableOf(ref<Record<string, PlainError>>({})),
    /** The connection of each run, by `run_id`. */
    connections: tableOf(ref<Record<string, RunConnection>>({})),
  }
}

/** The same ref, which Pinia holds, with a way to read it raw. */
function tableOf<T>(table: Ref<Record<string, T>>): Ref<Record<string, T>> & Table<T> {
  let rows = table.value
  let raw = toRaw(rows)
  return Object.assign(table, {
    raw: () => {
      if (rows !== table.value) raw = toRaw((rows = table.value))
      return raw
    },
  })
}

/** The key of a run or, with a slug, of one of its steps. */
export function keyOf(runId: string, slug: string | null): string {
  return slug === null ? runId : stepKey(runId, slug)
}

/** The raw row of a key: reading it creates no reactive dependency on the row. */
export function rawRow<T extends object>(table: Table<T>, key: string): T | undefined {
  return toRaw(ownValue(table.raw(), key))
}

/**
 * The reactive row of a key, looked up raw: an effect that starts or observes a run must not depend
 * on what is read here.
 */
export function rowOf<T extends object>(table: Table<T>, key: string): T | undefined {
  const row = rawRow(table, key)
  return row && shallowReactive(row)
}

/** Deletes a row if it exists. The check avoids the cost of Vue's proxy. */
export function dropRow(table: Table<unknown>, key: string): void {
  if (Object.hasOwn(table.raw(), key)) Reflect.deleteProperty(table.value, key)
}

/**
 * Writes what differs into a row, and returns whether anything did. An equal input or output keeps
 * its identity.
 * @param raw - the same row, raw: what is compared is read from it.
 */
export function writeRow(row: Row, raw: Row, patch: RunPatch | StepPatch): boolean {
  let hasChanged = false
  const values: Record<string, unknown> = patch
  for (const field in values) {
    const value = values[field]
    if (isSameJson(Reflect.get(raw, field), value)) continue
    Reflect.set(row, field, asRaw(value))
    hasChanged = true
  }
  return hasChanged
}

/**
 * Rows are shallow: in inputs and outputs, Vue would take names such as `__v_isRef` for its marks.
 */
export function toRow(run: PgflowRun): PgflowRun {
  return shallowReactive({ ...run, input: asRaw(run.input), output: asRaw(run.output) })
}

/** Inserts a step at its position, by binary search: a flow may have thousands of steps. */
export function insertIntoOrder(
  { steps, stepOrder }: RunTables,
  runId: string,
  slug: string,
): void {
  const slugs = rawRow(stepOrder, runId) ?? []
  const stepOf = (slug: string) => rawRow(steps, stepKey(runId, slug))
  const step = stepOf(slug)
  let [low, high] = [0, slugs.length]
  while (step && low < high) {
    const middle = (low + high) >> 1
    const other = stepOf(slugs[middle] ?? '')
    if (other && compareSteps(other, step) < 0) low = middle + 1
    else high = middle
  }
  stepOrder.value[runId] = [...slugs.slice(0, low), slug, ...slugs.slice(low)]
}

/** Inputs and outputs can be large and are only replaced as a whole: they are not made reactive. */
function asRaw<T>(value: T): T {
  if (typeof value === 'object' && value !== null) markRaw(value)
  return value
}
