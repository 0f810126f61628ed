/**
 * Whether a page of this origin may use the backend. Those of this machine may, and whoever sends no
 * origin, as programs do. Any other page that the developer has open could else reach the port.
 *
 * Browsers send no origin either for what a page embeds or goes to, such as images, scripts, forms
 * that get, and links. Such a request reads nothing that its page could see, cannot carry headers, and
 * has to know the API key like any other.
 */
export function isAllowedOrigin(origin: string | undefined, more: readonly string[]): boolean {
  return origin === undefined || more.includes(origin) || isLoopback(origin)
}

function isLoopback(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const { protocol, hostname } = new URL(origin)
  if (protocol !== 'http:' && protocol !== 'https:') return false
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
