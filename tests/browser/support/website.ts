import { createServer } from 'node:http'

/** A website for the flows to visit. */
export interface Website {
  url: string
  /** What it answers from now on. */
  status: number
  /** How often it was visited. */
  visits: number
  close(): Promise<void>
}

/** Serves a website on a free port of this machine. */
export async function serveWebsite(status: number): Promise<Website> {
  const server = createServer((_req, res) => {
    website.visits += 1
    res.writeHead(website.status, { connection: 'close' }).end('A page')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The website has no port')
  const website: Website = {
    url: `http://127.0.0.1:${address.port}/archive`,
    status,
    visits: 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return website
}
