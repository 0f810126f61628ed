/** Shortens text from outside for use in a message, and puts it on one line. */
export function clip(text: string, most = 60): string {
  const line = text.slice(0, most + 1).replaceAll(/\p{Cc}/gu, '?')
  // A surrogate pair is not split.
  return line.length > most ? `${line.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : line
}
