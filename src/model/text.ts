/** Text from outside as part of a message: short, and on one line. */
export function clip(text: string, most = 60): string {
  const line = text.slice(0, most + 1).replaceAll(/\p{Cc}/gu, '?')
  // Not in the middle of a character.
  return line.length > most ? `${line.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : line
}
