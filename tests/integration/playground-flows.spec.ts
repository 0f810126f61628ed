import { readFile } from 'node:fs/promises'
import { useFlow } from 'pinia-pgflow'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AnalyzeCsv } from '../../playground/flows/analyze-csv.ts'
import { flows } from '../../playground/flows/index.ts'
import type { PlanRoute } from '../../playground/flows/plan-route.ts'
import type { PublishReport } from '../../playground/flows/publish-report.ts'
import type { SummariseText } from '../../playground/flows/summarise-text.ts'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const sample = (name: string) =>
  readFile(new URL(`../../playground/flows/samples/${name}`, import.meta.url), 'utf8')

const fixture = useBackend(flows)

beforeAll(async () => {
  // The waits between attempts are pgflow's own and of whole seconds.
  await fixture.backend.db.exec('update pgflow.steps set opt_base_delay = 0')
  await fixture.backend.db.exec('update pgflow.flows set opt_base_delay = 0')
})

describe('a flow of the playground', () => {
  it('with a map step works off hundreds of rows and reports', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof AnalyzeCsv>('analyze_csv'),
    )
    await flow.startAsync({ csv: await sample('greenhouse.csv') })
    await until(() => flow.run.value?.status === 'completed')
    expect(flow.step('inspect_rows')?.output).toHaveLength(336)
    expect(flow.run.value?.output).toMatchObject({
      report: { headline: '336 rows in 6 columns: 4 of numbers and 2 of text.' },
    })
    wrapper.unmount()
  })

  it('that fails twice recovers, and the retries are seen', async () => {
    const retries: string[] = []
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof SummariseText>('summarise_text', {
        onRetry: (retry, step) => retries.push(`${step.step_slug}: ${retry.error_message}`),
      }),
    )
    fixture.backend.worker.pause()
    await flow.startAsync({ text: await sample('harbour.txt') })
    await until(() => flow.connection.value.status === 'live')
    fixture.backend.worker.resume()
    await until(() => flow.run.value?.status === 'completed')
    const busy = (call: number) =>
      `weights: The service that weighs sentences is busy (503), at call ${call}.`
    expect(retries).toEqual([busy(1), busy(2)])
    expect(flow.run.value?.output).toMatchObject({
      summary: { headline: expect.stringMatching(/^4 of 15 sentences, /) as string },
    })
    wrapper.unmount()
  })

  it('searches for as long as its input sets', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof PlanRoute>('plan_route'),
    )
    await flow.startAsync({ places: await sample('places.csv'), seconds: 0.5 })
    await until(() => flow.run.value?.status === 'completed')
    expect(flow.step('search')?.output).toHaveLength(4)
    expect(flow.run.value?.output).toMatchObject({
      itinerary: { headline: expect.stringMatching(/^32 stops over .* shorter than/) as string },
    })
    wrapper.unmount()
  })

  it.each([0, -1, 91])('does not search for %d seconds', async (seconds) => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof PlanRoute>('plan_route'),
    )
    await flow.startAsync({ places: await sample('places.csv'), seconds })
    await until(() => flow.run.value?.status === 'failed')
    expect(flow.step('places')?.error_message).toBe('The search may take up to 90 seconds.')
    wrapper.unmount()
  })

  it('fails for good where a link is dead, and tries twice', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () =>
      useFlow<typeof PublishReport>('publish_report'),
    )
    // Nobody listens on this port, which needs rights that no test has.
    await flow.startAsync({ markdown: '# Title\n\nSee http://127.0.0.1:1/x' })
    await until(() => flow.run.value?.status === 'failed')
    expect(flow.step('check_links')?.error_message).toMatch(/^Line 3: /)
    expect(flow.step('page')?.status).toBe('created')
    wrapper.unmount()
  })
})
