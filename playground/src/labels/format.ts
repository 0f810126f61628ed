const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 2 })

const clock = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false } as const
const timeOfToday = new Intl.DateTimeFormat('en-GB', clock)
const timeOfAnotherDay = new Intl.DateTimeFormat('en-GB', {
  ...clock,
  day: 'numeric',
  month: 'short',
})

/** "1,234.5" */
export function formatNumber(value: number): string {
  return numbers.format(value)
}

/** "80 ms", "1.4 s", "32 s", "2 min 5 s" */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds))
  if (ms < 1000) return `${ms} ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** "14:05:09" of today; of another day "27 Nov, 14:05:09". Empty for what is no time. */
export function formatTime(iso: string, now: Date = new Date()): string {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return ''
  const isToday = time.toDateString() === now.toDateString()
  return (isToday ? timeOfToday : timeOfAnotherDay).format(time)
}

const abbreviations = new Set(['html', 'id', 'url'])

/** A key of an output as a label: `wordsPerSentence` and `inspect_rows` as people write them. */
export function formatKey(key: string): string {
  if (abbreviations.has(key)) return key.toUpperCase()
  const words = key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The first line of a text, cut to what fits in a list. */
export function excerpt(text: string, length = 60): string {
  const line = text.trim().replace(/\s+/g, ' ')
  return line.length > length ? `${line.slice(0, length - 1).trimEnd()}…` : line
}

/** "1 step", "2 steps" */
export function counted(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`
}
