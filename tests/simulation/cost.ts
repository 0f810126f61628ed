import * as bounds from './bounds.ts'
import { runIdOf } from './flows.ts'
import { floodFrom, outageFrom, quietFrom, quietHour } from './make-profile.ts'
import type { Plan, RequestKind } from './plan.ts'
import type { SentRequest } from './requests.ts'
import type { Violate } from './violation.ts'

const fiveMinutes = 300_000

/** The cost of an hour without changes, or of an outage, in schedules without anything else. */
export function checkCost(plan: Plan, sent: readonly SentRequest[], violate: Violate): void {
  const count = (kinds: readonly RequestKind[], run: number, from: number, ms: number) => {
    const isCounted = ({ kind, about, at }: SentRequest) =>
      kinds.includes(kind) && about.includes(runIdOf(run)) && at >= from && at < from + ms
    return sent.filter(isCounted).length
  }
  for (let run = 0; run < plan.runs; run += 1) {
    if (plan.profile === 'quiet') {
      const probes = count(['probe'], run, quietFrom, quietHour)
      const reads = count(['read'], run, quietFrom, quietHour)
      if (probes > bounds.probesPerQuietHour) violate('cost', `${probes} probes in a quiet hour`)
      if (reads > bounds.readsPerQuietHour) violate('cost', `${reads} reads in a quiet hour`)
    }
    if (plan.profile === 'flood') {
      const ms = plan.end - floodFrom
      const reads = count(['read'], run, floodFrom, ms)
      const allowed = bounds.doubtsPerSecond * (ms / 1_000) + bounds.doubtsExtra
      if (reads > allowed) violate('cost', `${reads} reads in ${ms.toFixed(0)} ms of a flood`)
    }
    if (plan.profile === 'outage') {
      const reads = count(['read', 'probe'], run, outageFrom, fiveMinutes)
      if (reads > bounds.readsPerOutage) violate('cost', `${reads} reads in five minutes of outage`)
    }
  }
}
