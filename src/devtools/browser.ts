/** Prints a message for the developer. */
export function say(text: string): void {
  // eslint-disable-next-line no-console -- devtools have no other place for it
  console.info(`[pinia-pgflow] ${text.trim()}`)
}

/** Copies a text, or prints it where the browser does not allow that. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    say(text)
  }
}

/** Downloads a text as a file. */
export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
