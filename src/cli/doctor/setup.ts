import type { PackageInfo } from '../package-info.ts'
import type { Facts } from './facts.ts'
import { error, ok, skipped, warning, type Finding } from './findings.ts'

/** A difference of clocks that nobody notices, in ms. */
const tolerated = 5_000

/** When the facts were requested and when they arrived, in ms since 1970. */
export interface AskedAt {
  before: number
  after: number
}

/** What the database reported about its settings. */
export function checkSetup(
  facts: Facts,
  own: PackageInfo,
  { hasToken, ...asked }: AskedAt & { hasToken: boolean },
): Finding[] {
  return [
    ...(hasToken ? checkCaller(facts) : []),
    checkVersion(facts, own),
    checkFlows(facts),
    checkSending(facts),
    checkOwner(facts),
    checkClock(facts, asked),
    ...checkProblems(facts),
  ]
}

function checkVersion({ version }: Facts, own: PackageInfo): Finding {
  if (version === own.version) {
    return ok('version', `The migration and this package are of version ${version}.`)
  }
  return warning(
    'version',
    'other_version',
    `The migration in the database is of version ${version}, and this package of ${own.version}. They work together.`,
    'Bring both to the newest: npm install pinia-pgflow@latest, npx pinia-pgflow install, and run the migration.',
  )
}

/** Some servers take a caller with a token that they cannot read for one who has none. */
function checkCaller({ signed_in, role }: Facts): Finding[] {
  if (signed_in || role === 'service_role') return []
  return [
    error(
      'key',
      'token_without_user',
      `The token is of no signed-in user: the API takes its bearer for the role ${role}.`,
      'Pass the access_token of a session of this project that has not expired: (await supabase.auth.getSession()).data.session?.access_token',
    ),
  ]
}

function checkFlows({ flows, flow_count, startable, role, signed_in, visibility }: Facts): Finding {
  if (flow_count === 0) {
    return error(
      'flows',
      'no_flows',
      'There is no flow in the database.',
      'Run the migration of a flow (npx pgflow compile), or start its worker, which creates it.',
    )
  }
  const allow = "select pgflow_client.allow_start('my_flow', 'authenticated'); in a migration."
  if (startable.anon + startable.authenticated === 0) {
    return error(
      'flows',
      'none_startable',
      `None of the ${flow_count} flows can be started by an app: no role is allowed to.`,
      allow,
    )
  }
  if (visibility === 'private' && !signed_in && role === 'anon') {
    return startable.authenticated > 0
      ? ok('flows', `Signed-in users may start ${startable.authenticated} of ${flow_count} flows.`)
      : error(
          'flows',
          'not_startable',
          'Runs are private, so only signed-in users start them, and no flow is allowed for them.',
          allow,
        )
  }
  if (role === 'authenticated' && startable.authenticated === 0) {
    return error(
      'flows',
      'not_startable',
      `A signed-in user may start none of the ${flow_count} flows; only who is not signed in may.`,
      allow,
    )
  }
  const who = `${startable.anon} without signing in, ${startable.authenticated} when signed in`
  const names = role === 'anon' || role === 'authenticated' ? `: ${listOf(flows)}` : ''
  return ok(
    'flows',
    `Of ${flow_count} flows an app may start ${who}${flows.length > 0 ? names : ''}.`,
  )
}

function listOf(slugs: readonly string[]): string {
  const shown = slugs.slice(0, 10).join(', ')
  return slugs.length > 10 ? `${shown} and ${slugs.length - 10} more` : shown
}

function checkSending({ pgflow_sending, visibility }: Facts): Finding {
  if (pgflow_sending === 0) {
    return ok('sending', 'pgflow does not broadcast by itself.')
  }
  const leak = visibility === 'private' ? ', publicly although runs are private' : ''
  return error(
    'sending',
    'pgflow_sends',
    `pgflow broadcasts by itself beside pinia-pgflow${leak}: it was installed or upgraded after the migration. Functions: ${pgflow_sending}.`,
    'select pgflow_realtime.take_over(); or npx pinia-pgflow install, and run the migration it adds.',
  )
}

function checkOwner({ may_send }: Facts): Finding {
  if (may_send) return ok('owner', 'The owner of the functions may send over Realtime.')
  return error(
    'owner',
    'cannot_send',
    'Every broadcast is lost: the role that owns the functions of pinia-pgflow may not insert into realtime.messages.',
    'Run the migration as the role postgres of the project. select pgflow_realtime.status(); names the role and what it lacks.',
  )
}

function checkClock({ clock_ms }: Facts, { before, after }: AskedAt): Finding {
  // The database looked at its clock at some moment between the two.
  const behind = before - clock_ms
  const ahead = clock_ms - after
  const off = Math.max(behind, ahead)
  if (off <= tolerated) return ok('clock', 'The clocks of this machine and the database agree.')
  const seconds = Math.round(off / 1000)
  return warning(
    'clock',
    'clock_skew',
    `The clock of this machine is ${seconds} s ${behind > ahead ? 'ahead of' : 'behind'} that of the database.`,
    'Set the clock of this machine by the network (NTP). Durations of runs that go on are shown wrong by as much, and tokens may be refused as expired or not valid yet.',
  )
}

/** All other problems that the database reports. */
function checkProblems({ problems, problem_count, pgflow_sending, may_send }: Facts): Finding[] {
  const named = pgflow_sending + (may_send ? 0 : 1)
  if (problems) {
    return problems.filter(isUnnamed).map((problem) => problemOf(problem))
  }
  const unnamed = problem_count - named
  if (unnamed <= 0) return [ok('problems', 'The database names no other problem.')]
  return [
    skipped(
      'problems',
      'more_problems',
      `The database names ${unnamed} more ${unnamed === 1 ? 'problem' : 'problems'}, and tells them to its owner only.`,
      'Pass --db, or a secret key as --key; or run: select pgflow_realtime.status();',
    ),
  ]
}

/** Whether a problem has no finding of its own. */
export function isUnnamed(problem: string): boolean {
  return !/ broadcasts by itself,|^Every broadcast is lost:/.test(problem)
}

/** A problem in the form of `pgflow_realtime.problems()`: the problem, a colon, the remedy. */
export function problemOf(problem: string): Finding {
  const colon = problem.lastIndexOf(': run ')
  const [message, fix] =
    colon < 0
      ? [problem, 'select pgflow_realtime.status(); and the guide "Install" say more.']
      : [`${problem.slice(0, colon)}.`, capitalized(problem.slice(colon + 2))]
  return error('problems', 'problem', message, fix)
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
