import type { ReportLink } from './outline.ts'

/** A link that answered. */
export type CheckedLink = {
  url: string
  status: number
}

const waitMs = 4_000

/**
 * Opens every link of a report.
 * @throws Error that names each link that does not answer, and why.
 */
export async function checkLinks(links: readonly ReportLink[]): Promise<CheckedLink[]> {
  const lines = new Map(links.map(({ url, line }) => [url, line]))
  const answers = await Promise.all([...lines].map(([url, line]) => open(url, line)))
  const broken = answers.filter((answer) => typeof answer === 'string')
  if (broken.length > 0) {
    if (broken.length === 1) throw new Error(broken[0])
    const count = `${broken.length} of ${lines.size} links`
    throw new Error(`${count} cannot be opened. ${broken.join(' ')}`)
  }
  return answers.filter((answer) => typeof answer !== 'string')
}

/** The answer of one link, or what is wrong with it in words. */
async function open(url: string, line: number): Promise<CheckedLink | string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(waitMs) })
    await response.body?.cancel()
    if (response.ok) return { url, status: response.status }
    return `Line ${line}: ${url} answers “${response.status} ${response.statusText}”.`
  } catch (error) {
    return `Line ${line}: ${url} ${reasonOf(error)}.`
  }
}

const reasons: Record<string, string> = {
  ENOTFOUND: 'has an address that does not exist',
  EAI_AGAIN: 'has an address that cannot be looked up',
  ECONNREFUSED: 'refuses the connection',
  ECONNRESET: 'breaks the connection',
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'does not answer'
  if (error.name === 'TimeoutError') return `does not answer within ${waitMs / 1000} seconds`
  const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined
  return (typeof code === 'string' ? reasons[code] : undefined) ?? 'does not answer'
}
