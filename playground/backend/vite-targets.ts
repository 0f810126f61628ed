import type { IncomingMessage } from 'node:http'
import type { HttpServer } from 'vite'

/**
 * Closes what asks for an address that cannot be parsed. Vite and connect parse every address in
 * listeners of their own, where an error ends the dev server.
 */
export function closeUnreadable(server: HttpServer): void {
  const guard = (req: IncomingMessage) => {
    if (isReadable(req.url)) return
    // The listeners that follow are called all the same.
    req.url = '/'
    req.socket.destroy()
  }
  server.prependListener('request', guard)
  server.prependListener('upgrade', guard)
}

/** Connect parses what does not begin with a slash, Vite what follows a host. */
function isReadable(target = '/'): boolean {
  const isRead = target.startsWith('/') || target === '*' || URL.canParse(target)
  return isRead && URL.canParse(`http://localhost${target}`)
}
