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
  return [describeRow(fieldOf(detail, 'run')), describeStep(detail), describeSeq(detail)]
    .filter((part) => part !== '')
    .join(', ')
}

function describeRow(run: unknown): string {
  const status = fieldOf(run, 'status')
  return typeof status === 'string' ? `run ${status}` : ''
}

function describeStep(detail: unknown): string {
  const step = fieldOf(detail, 'step')
  const slug = fieldOf(step, 'step_slug') ?? fieldOf(detail, 'step_slug')
  const status = fieldOf(step, 'status')
  if (typeof slug !== 'string') return ''
  return typeof status === 'string' ? `${slug} ${status}` : slug
}

function describeSeq(detail: unknown): string {
  const seq = fieldOf(detail, 'seq')
  return typeof seq === 'number' ? `seq ${seq}` : ''
}
