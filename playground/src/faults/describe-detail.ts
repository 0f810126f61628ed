import { fieldOf } from './true-run.ts'

const longest = 160

/** What a record of the trace is about: a broadcast, an answer, an error or a reason. Never throws. */
export function describeDetail(detail: unknown): string {
  try {
    const text = describe(detail)
    return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
  } catch {
    return ''
  }
}

function describe(detail: unknown): string {
  if (typeof detail === 'string') return detail
  if (detail instanceof Error) {
    const code = fieldOf(detail, 'code')
    return typeof code === 'string' ? `${code}: ${detail.message}` : detail.message
  }
  return [describeSubject(detail), describeSeq(detail)].filter((part) => part !== '').join(', ')
}

/** "step:completed clean" of a broadcast, "run started" of an answer. */
function describeSubject(detail: unknown): string {
  const type = fieldOf(detail, 'type')
  if (typeof type === 'string') {
    const slug = fieldOf(fieldOf(detail, 'step'), 'slug')
    return typeof slug === 'string' ? `${type} ${slug}` : type
  }
  const status = fieldOf(fieldOf(detail, 'run'), 'status')
  return typeof status === 'string' ? `run ${status}` : ''
}

function describeSeq(detail: unknown): string {
  const seq = fieldOf(detail, 'seq')
  return typeof seq === 'number' ? `seq ${seq}` : ''
}
