/** What comes instead of an answer of the database: a status and a body. */
export interface NoAnswer {
  what: string
  status: number
  body: string | null
}

const page = (title: string) => `<!DOCTYPE html><html><title>${title}</title></html>`

/** What gateways, proxies and networks put in the place of an answer. */
export const noAnswers: readonly NoAnswer[] = [
  { what: 'a page of Cloudflare', status: 520, body: page('520: unknown error') },
  { what: 'a page of Cloudflare, too late', status: 524, body: page('524: A timeout occurred') },
  { what: 'a paused project', status: 540, body: '{"message":"Project paused"}' },
  { what: 'a page of a gateway', status: 502, body: page('502 Bad Gateway') },
  { what: 'an error without a code', status: 500, body: '{"message":"Internal Server Error"}' },
  { what: 'a code of somebody else', status: 500, body: '{"code":"WORKER_LIMIT","message":"no"}' },
  { what: 'an error that is null', status: 500, body: 'null' },
  { what: 'an error that is false', status: 503, body: 'false' },
  { what: 'a request that came too slowly', status: 408, body: 'Request Timeout' },
  { what: 'a proxy that knows no such address', status: 404, body: page('404 Not Found') },
  { what: 'a gateway without a route', status: 404, body: '{"message":"no Route matched"}' },
  { what: 'nothing, as not found', status: 404, body: '' },
  { what: 'a request that a proxy does not take', status: 400, body: page('400 Bad Request') },
  { what: 'a page that asks who is there', status: 403, body: page('Just a moment...') },
  { what: 'a redirect that leads nowhere', status: 302, body: '' },
  { what: 'nothing new', status: 304, body: null },
  { what: 'the text of a proxy', status: 200, body: 'upstream connect error or disconnect/reset' },
  { what: 'the page of a hotel', status: 200, body: page('Welcome, guest') },
  { what: 'a JSON text', status: 200, body: '"upstream connect error"' },
  { what: 'an answer cut short', status: 200, body: '[{"run":{"run_id":"0f0e0d0c-0b0a' },
  { what: 'no content', status: 204, body: null },
]
