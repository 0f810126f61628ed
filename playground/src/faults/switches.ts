import { noFaults, type FaultState } from '../../backend/faults/state.ts'

/** A way that a switch can be. */
export interface Choice {
  label: string
  patch: Partial<FaultState>
}

/** One switch of the panel. */
export interface FaultSwitch {
  key: keyof FaultState
  label: string
  /** What happens, and what to look for. */
  about: string
  /** The first is how it is when nothing is wrong. */
  choices: readonly [Choice, ...Choice[]]
}

/** Switches that belong together. */
export interface SwitchGroup {
  title: string
  switches: readonly FaultSwitch[]
}

const off = <Key extends keyof FaultState>(key: Key): Choice => ({
  label: 'off',
  patch: { [key]: noFaults[key] },
})

const onOff = (
  key: 'offline' | 'duplicate' | 'reorder' | 'replicationLost' | 'tokensExpired',
): [Choice, Choice] => [off(key), { label: 'on', patch: { [key]: true } }]

export const switchGroups: readonly SwitchGroup[] = [
  {
    title: 'Network',
    switches: [
      {
        key: 'offline',
        label: 'No network',
        about:
          'Every request and every socket is cut off. What is shown stays, and says that it may be old.',
        choices: onOff('offline'),
      },
      {
        key: 'tokensExpired',
        label: 'Expired token',
        about:
          'Every token issued until now has expired: the server closes channels and refuses reads.',
        choices: onOff('tokensExpired'),
      },
    ],
  },
  {
    title: 'Messages',
    switches: [
      {
        key: 'dropShare',
        label: 'Lose messages',
        about: 'The next one shows that there is a gap, and a read fills it.',
        choices: [
          off('dropShare'),
          { label: 'half of them', patch: { dropShare: 0.5 } },
          { label: 'all', patch: { dropShare: 1 } },
        ],
      },
      {
        key: 'duplicate',
        label: 'Send messages twice',
        about: 'The second one is older than what is shown, and changes nothing.',
        choices: onOff('duplicate'),
      },
      {
        key: 'delayMs',
        label: 'Delay messages',
        about: 'A read in between is newer: then they change nothing.',
        choices: [
          off('delayMs'),
          { label: 'by 1 s', patch: { delayMs: 1_000 } },
          { label: 'by 8 s', patch: { delayMs: 8_000 } },
        ],
      },
      {
        key: 'reorder',
        label: 'Reorder messages',
        about: 'Of two, the later one comes first.',
        choices: onOff('reorder'),
      },
    ],
  },
  {
    title: 'Realtime',
    switches: [
      {
        key: 'replicationLost',
        label: 'Lost replication',
        about:
          'Changes no longer reach the Realtime server, and it does not say so. A probe finds out.',
        choices: onOff('replicationLost'),
      },
      {
        key: 'eventsPerSecond',
        label: 'Rate limit',
        about:
          'With too many messages a second none is delivered, for up to a minute and without an error.',
        choices: [
          off('eventsPerSecond'),
          { label: '1 a second', patch: { eventsPerSecond: 1 } },
          { label: '100 a second', patch: { eventsPerSecond: 100 } },
        ],
      },
    ],
  },
  {
    title: 'REST',
    switches: [
      {
        key: 'restDelayMs',
        label: 'Slow answers',
        about: 'A start and each read take so much longer.',
        choices: [
          off('restDelayMs'),
          { label: 'by 2 s', patch: { restDelayMs: 2_000 } },
          { label: 'by 15 s', patch: { restDelayMs: 15_000 } },
        ],
      },
      {
        key: 'restFailure',
        label: 'Failing answers',
        about:
          'A start is repeated with the same id: there is one run, also where only its answer is lost.',
        choices: [
          off('restFailure'),
          { label: '503, the database is gone', patch: { restFailure: 'unavailable' } },
          { label: '502, a page of the gateway', patch: { restFailure: 'bad_gateway' } },
          { label: '429, too many requests', patch: { restFailure: 'rate_limited' } },
          { label: 'done, but the answer is lost', patch: { restFailure: 'lost_answer' } },
        ],
      },
    ],
  },
]

/** Which choice of a switch holds; -1 where it is set to something that the panel does not offer. */
export function chosen({ key, choices }: FaultSwitch, state: FaultState): number {
  return choices.findIndex(({ patch }) => patch[key] === state[key])
}

/** How many switches are not as usual. */
export function countFaults(state: FaultState): number {
  const all = switchGroups.flatMap(({ switches }) => switches)
  return all.filter((each) => chosen(each, state) !== 0).length
}
