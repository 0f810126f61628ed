/** More than any flow takes; what is larger is not even read. */
const mostBytes = 1_000_000

/** Reads a file that a visitor gave as a text, or says why it is none. */
export async function readTextFile(file: File): Promise<{ text: string } | { problem: string }> {
  if (file.size > mostBytes) return { problem: `${file.name} is larger than 1 MB.` }
  try {
    const bytes = await file.arrayBuffer()
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    if (!text.includes('\0')) return { text }
  } catch {
    // Not UTF-8, or not readable: as below.
  }
  return { problem: `${file.name} is not a text file in UTF-8.` }
}
