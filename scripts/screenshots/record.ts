import type { Page } from 'playwright-core'
import sharp from 'sharp'

/** What was seen, and when it came in ms. */
interface Frame {
  image: Buffer
  at: number
}

export interface Recording {
  /** Ends it and writes what was seen as an animated WebP, which starts over at its end. */
  save: (file: string) => Promise<void>
}

/** At most so many pictures a second: more make a file larger, and nothing clearer. */
const framesPerSecond = 4
/** As wide as a README is shown, in px. */
const width = 960
/** How long the last picture is seen before it starts over, in ms. */
const lastFrameMs = 3_000

/** Records what a page shows from now on, whenever it changes. */
export async function record(page: Page): Promise<Recording> {
  const frames: Frame[] = []
  const session = await page.context().newCDPSession(page)
  session.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    frames.push({ image: Buffer.from(data, 'base64'), at: (metadata.timestamp ?? 0) * 1000 })
    void session.send('Page.screencastFrameAck', { sessionId })
  })
  await session.send('Page.startScreencast', { format: 'png' })
  return {
    async save(file) {
      await session.send('Page.stopScreencast')
      const kept = thinOut(frames)
      const delay = kept.map(({ at }, index) => {
        const next = kept[index + 1]
        return next ? Math.round(next.at - at) : lastFrameMs
      })
      const images = kept.map(({ image }) => sharp(image).resize({ width }).png().toBuffer())
      await sharp(await Promise.all(images), { join: { animated: true } })
        .webp({ quality: 60, effort: 6, minSize: true, mixed: true, loop: 0, delay })
        .toFile(file)
    },
  }
}

/** The last frame of each stretch of time: what came before it in the same was seen too briefly. */
function thinOut(frames: readonly Frame[]): Frame[] {
  const start = frames[0]?.at ?? 0
  const byStretch = new Map<number, Frame>()
  for (const frame of frames) {
    byStretch.set(Math.floor(((frame.at - start) * framesPerSecond) / 1000), frame)
  }
  return [...byStretch.values()]
}
