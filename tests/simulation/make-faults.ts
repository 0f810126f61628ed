import type { PgflowErrorCode } from '../../src/errors.ts'
import type { FaultEntry, Forgery, MessageFate, Mode, RequestFate, RequestKind } from './plan.ts'
import { between, chance, pick, wholeBetween, type Random } from './random.ts'

/** What the faults of a schedule are made for. */
export interface FaultScope {
  random: Random
  mode: Mode
  runs: number
  /** Within which they begin. */
  span: number
}

type Fault = FaultEntry['fault']

const codes = [
  ...(['unreachable', 'unreachable', 'server_error', 'rate_limited', 'server_busy'] as const),
  ...(['unauthorized', 'not_signed_in', 'run_not_found', 'not_migrated', 'timeout'] as const),
  ...(['schema_not_exposed', 'not_granted', 'malformed_reply', 'offline'] as const),
] as const satisfies readonly PgflowErrorCode[]
const messageFates: readonly [MessageFate, ...MessageFate[]] = [
  ...(['dropped', 'duplicated', 'late', 'truncated', 'unknown', 'malformed'] as const),
]
const forgeries: readonly [Forgery, ...Forgery[]] = [
  ...(['absurd-seq', 'next-seq', 'end', 'old-seq', 'malformed'] as const),
]
const requestFaults = ['requests', 'requests', 'requests', 'replica'] as const
const messageFaults = ['messages', 'messages', 'messages', 'silent', 'joins', 'cut'] as const
const pageFaults = [
  ...(['hidden', 'offline-hint', 'no-network', 'throttled', 'asleep', 'clock', 'token'] as const),
] as const

/** Some faults, of any kind. */
export function makeFaults(scope: FaultScope, count: number): FaultEntry[] {
  const { random } = scope
  return Array.from({ length: count }, () => {
    const dice = random()
    if (dice < 0.35) return makeFault(scope, pick(random, requestFaults))
    if (dice < 0.7) return makeFault(scope, pick(random, messageFaults))
    if (dice < 0.88 || scope.mode !== 'public') return makeFault(scope, pick(random, pageFaults))
    return makeFault(scope, 'forged')
  })
}

/** A fault of one kind, somewhere in the span. */
export function makeFault(scope: FaultScope, fault: Fault): FaultEntry {
  const { random, span } = scope
  const at = between(random, 0, span)
  const window = (longest: number) => {
    return { at, group: 'fault' as const, until: at + between(random, 50, longest) }
  }
  const moment = { at, group: 'fault' as const, until: at }
  const rate = chance(random, 0.4) ? 1 : between(random, 0.1, 0.7)
  switch (fault) {
    case 'requests':
      return { ...window(20_000), fault, kinds: someKinds(random), rate, how: requestFate(random) }
    case 'replica':
      return { ...window(20_000), fault, lag: between(random, 200, 8_000), rate }
    case 'messages':
      return { ...window(20_000), fault, rate, how: pick(random, messageFates) }
    case 'silent':
      return { ...window(20_000), fault, rate: chance(random, 0.7) ? 1 : 0.5 }
    case 'joins': {
      const how = pick(random, ['late', 'refused', 'hangs', 'unready'] as const)
      const code = pick(random, [
        'channel_refused',
        'private_only',
        'rate_limited',
        'unauthorized',
        'channel_taken',
      ] as const)
      return { ...window(20_000), fault, how, code }
    }
    case 'no-network':
      return { ...window(40_000), fault, isNoticed: chance(random, 0.6) }
    case 'hidden':
      return { ...window(chance(random, 0.2) ? 300_000 : 30_000), fault }
    case 'offline-hint':
      return { ...window(60_000), fault }
    case 'throttled':
      return { ...window(300_000), fault }
    case 'asleep':
      return { ...window(chance(random, 0.3) ? 3 * 3_600_000 : 60_000), fault }
    case 'cut':
      return { ...moment, fault, rate }
    case 'clock':
      return {
        ...moment,
        fault,
        ms: pick(random, [-3_600_000, -5_000, 30_000, 86_400_000] as const),
      }
    case 'token':
      return { ...moment, fault, closes: chance(random, 0.5) }
    case 'forged': {
      const run = wholeBetween(random, 0, scope.runs - 1)
      return { ...moment, fault, run, how: pick(random, forgeries), every: null }
    }
  }
}

function someKinds(random: Random): RequestKind[] {
  if (chance(random, 0.4)) return ['start', 'read', 'probe', 'list', 'flow']
  return [pick(random, ['start', 'read', 'read', 'probe', 'list'] as const)]
}

function requestFate(random: Random): RequestFate {
  const dice = random()
  if (dice < 0.4) return { fate: 'refused', code: pick(random, codes) }
  if (dice < 0.55) return { fate: 'lost' }
  if (dice < 0.68) return { fate: 'hangs' }
  if (dice < 0.8) return { fate: 'slow', ms: between(random, 500, 9_000) }
  if (dice < 0.88) return { fate: 'ignores-abort', ms: between(random, 5_000, 20_000) }
  return { fate: dice < 0.94 ? 'missing' : 'broken-row' }
}
