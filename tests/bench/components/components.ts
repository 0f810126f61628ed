import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { CDPSession, Page } from 'playwright-core'
import { build, type Rolldown } from 'vite'
import { componentStyles } from '../../../scripts/component-styles.ts'
import { launchChromium } from '../../browser/support/chromium.ts'
import { noFindings, type Benchmark, type Findings } from '../benchmark.ts'
import { compare } from '../harness.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
/** Beyond this, people see that a picture does not keep up. */
const longestFrame = 50
const eventsPerSecond = 200
const eventsARound = 400

export const benchmark: Benchmark = {
  name: 'components',
  about:
    `RunProgress, RunGraph and RunTimeline of one run in Chromium, while ${eventsPerSecond} ` +
    `broadcasts a second arrive for ${eventsARound / eventsPerSecond} s. Work is the time that the ` +
    "page's thread computes for a frame, whatever else the machine does: script, styles, layout " +
    'and paint. The longest frame is by the clock, so other programs make it longer. The first ' +
    'picture is how long it takes until the run is drawn at all.',
  async run(rounds) {
    const findings = noFindings()
    const browser = await launchChromium()
    try {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
      const page = await context.newPage()
      page.on('pageerror', (error) => findings.concerns.push(error.message))
      await openPage(page)
      const session = await context.newCDPSession(page)
      await session.send('Performance.enable', { timeDomain: 'threadTicks' })
      for (const [title, what, few, many] of [
        ['steps', 'steps', 10, 2_000],
        ['tasks of a map', 'tasks', 10, 5_000],
      ] as const) {
        const small = new Measured(page, session, what, few)
        const large = new Measured(page, session, what, many)
        const wanted = [{ of: large.name, to: small.name }]
        findings.comparisons[`work for a frame, ${title}`] = await compare(
          [small, large].map((each) => ({ name: each.name, measure: () => each.play() })),
          rounds(10),
          wanted,
        )
        findings.comparisons[`first picture, ${title}`] = await compare(
          [small, large].map((each) => ({ name: each.name, measure: () => each.draw() })),
          rounds(10),
          wanted,
        )
        for (const each of [small, large]) each.report(findings)
      }
    } finally {
      await browser.close()
    }
    findings.facts['programs that wanted the processor in the last minute'] = loadavg()[0] ?? 0
    return findings
  },
}

/** One size of a run, and all frames that were seen of it. */
class Measured {
  readonly name: string
  readonly #page: Page
  readonly #session: CDPSession
  readonly #what: 'steps' | 'tasks'
  readonly #count: number
  readonly #frames: number[] = []

  constructor(page: Page, session: CDPSession, what: 'steps' | 'tasks', count: number) {
    this.name = `${count.toLocaleString('en')} ${what}`
    this.#page = page
    this.#session = session
    this.#what = what
    this.#count = count
  }

  /** Plays a run, and returns the work for a frame in ms. */
  async play(): Promise<number> {
    await this.#show()
    const before = await this.#readWork()
    const frames = await this.#page.evaluate(
      ([events, perSecond]) => window.bench.play(events, perSecond),
      [eventsARound, eventsPerSecond] as const,
    )
    const work = (await this.#readWork()) - before
    if (!(await this.#page.evaluate(() => window.bench.isRight()))) {
      throw new Error('The page shows something else.')
    }
    await this.#close()
    this.#frames.push(...frames)
    return work / frames.length
  }

  /** How long it takes to draw it, in ms. */
  async draw(): Promise<number> {
    const time = await this.#show()
    await this.#close()
    return time
  }

  report({ facts, concerns }: Findings): void {
    const late = this.#frames.filter((frame) => frame > longestFrame).length
    facts[`${this.name}, longest frame in ms`] = Math.round(Math.max(...this.#frames))
    facts[`${this.name}, frames over ${longestFrame} ms`] = `${late} of ${this.#frames.length}`
    if (late > 0) concerns.push(`${this.name}: ${late} frames over ${longestFrame} ms.`)
  }

  #show(): Promise<number> {
    return this.#page.evaluate(([what, count]) => window.bench.show(what, count), [
      this.#what,
      this.#count,
    ] as const)
  }

  async #close(): Promise<void> {
    await this.#page.evaluate(() => window.bench.close())
  }

  /** How long the thread of the page has computed so far, in ms. */
  async #readWork(): Promise<number> {
    const { metrics } = await this.#session.send('Performance.getMetrics')
    const duration = metrics.find(({ name }) => name === 'TaskDuration')
    if (!duration) throw new Error('Chromium does not say how long it has worked.')
    return duration.value * 1000
  }
}

/** Opens a page with what a bundler makes of `page.ts` for production. */
async function openPage(page: Page): Promise<void> {
  const address = 'http://localhost/'
  const script = await bundle()
  await page.route(address, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>Bench</title><style>${componentStyles()}</style><body></body>`,
    }),
  )
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }))
  await page.goto(address)
  await page.addScriptTag({ content: script })
}

async function bundle(): Promise<string> {
  const entry = (name: string) => path(`../../../src/${name}.ts`)
  const built = await build({
    configFile: false,
    root: path('.'),
    logLevel: 'error',
    mode: 'production',
    plugins: [vue()],
    resolve: {
      // The longer names first: the shorter one would take them for files of its own.
      alias: {
        'pinia-pgflow/components': entry('components/index'),
        'pinia-pgflow': entry('index'),
      },
    },
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    build: { write: false, lib: { entry: path('page.ts'), formats: ['iife'], name: 'page' } },
  })
  const [result] = built as Rolldown.RolldownOutput[]
  const chunk = result?.output.find((file) => file.type === 'chunk')
  if (!chunk) throw new Error('Nothing was built.')
  return chunk.code
}
