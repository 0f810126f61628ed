import type { Answer, Project } from '../project.ts'
import { error, type Finding } from './findings.ts'

/** Whose fault a refused key is. */
interface Credentials {
  hasToken: boolean
}

/** The problem that prevents every call; null if the API responded at all. */
export function refusalOf(
  answer: Answer,
  { url }: Pick<Project, 'url'>,
  { hasToken }: Credentials,
): Finding | null {
  if (!answer.error) return null
  const { code, message } = answer.error
  const { status } = answer
  if (status === 0) {
    return error(
      'reachable',
      'unreachable',
      `No answer from ${url}: ${message}.`,
      'Check the address, and that the project is running (a paused one has to be restored in the dashboard).',
    )
  }
  if (/^PGRST30\d$/.test(code) || (status === 401 && code !== '42501' && !code.startsWith('PT'))) {
    return hasToken && code !== '' ? tokenRefused(message) : keyRefused(message, hasToken)
  }
  if (code === 'PGRST106') {
    return error(
      'exposed',
      'schema_not_exposed',
      'The API does not serve the schema pgflow_client.',
      'Local: npx pinia-pgflow install, then restart Supabase. Hosted: Project Settings, Data API, Exposed schemas: add pgflow_client.',
    )
  }
  if (/^PGRST00[0-3]$/.test(code) || status === 502 || status === 503 || status === 504) {
    return error(
      'reachable',
      'database_down',
      `${url} answers, and its database does not (status ${status}).`,
      'See in the dashboard whether the project is paused, starting or out of connections.',
    )
  }
  if (code === '') {
    return error(
      'reachable',
      'not_supabase',
      `${url} is not the API of a Supabase project: it answered with status ${status}.`,
      'Pass the address of the project itself, such as https://abc.supabase.co, without a path.',
    )
  }
  return null
}

function keyRefused(message: string, hasToken: boolean): Finding {
  return error(
    'key',
    hasToken ? 'key_or_token_refused' : 'key_refused',
    `The project does not accept the ${hasToken ? 'key or the token' : 'key'}: ${message}`,
    'Take the publishable or anon key from Project Settings, API Keys, of this very project.',
  )
}

function tokenRefused(message: string): Finding {
  return error(
    'key',
    'token_refused',
    `The project does not accept the token: ${message}`,
    'Pass the access_token of a session of this project that has not expired: (await supabase.auth.getSession()).data.session?.access_token',
  )
}

/** Whether the function is not there, or not with these parameters. */
export function isMissing({ error: failure }: Answer): boolean {
  return failure?.code === 'PGRST202' || failure?.code === '42883' || failure?.code === '3F000'
}
