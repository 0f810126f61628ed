import type { Findings } from '../../tests/bench/benchmark.ts'
import type { Spread } from '../../tests/bench/harness.ts'

/** What tests/bench/results.json holds, by the name of the benchmark. */
export type Results = Record<string, (Findings & { date: string; node: string }) | undefined>

/** The tables that the documents take from the results, by name. */
export function makeTables(results: Results): Map<string, string> {
  const of = (benchmark: string, comparison: string) => {
    const found = results[benchmark]?.comparisons[comparison]
    if (!found) throw new Error(`results.json has no "${comparison}" of ${benchmark}.`)
    return found
  }
  const ms = (benchmark: string, comparison: string, variant: string) =>
    `${pretty(spreadOf(of(benchmark, comparison).milliseconds, variant).median)} ms`
  const range = (benchmark: string, comparison: string, variant: string) =>
    withRange(spreadOf(of(benchmark, comparison).milliseconds, variant), ' ms')
  const ratio = (benchmark: string, comparison: string, variant: string, to: string) => {
    const found = of(benchmark, comparison).ratios.find(
      (candidate) => candidate.of === variant && candidate.to === to,
    )
    if (!found) throw new Error(`results.json does not compare ${variant} with ${to}.`)
    return found
  }
  const ours = 'pinia-pgflow'
  const theirs = '@pgflow/client'

  const starts = ['on a new page', 'the second start of a page']
  const events = ['pinia-pgflow', '@pgflow/client, a list', '@pgflow/client, objects']
  const sizes = [
    ['runs held', '10 runs', '10,000 runs'],
    ['steps of the run', '10 steps', '10,000 steps'],
  ] as const
  const flows = Object.keys(results['sql-native']?.comparisons ?? {})
  const facts = results['sql-native']?.facts ?? {}

  return new Map([
    [
      'comparison',
      table(
        ['measured side by side', theirs, ours],
        [
          [
            'a start, until the database has confirmed it, at a round trip of 50 ms',
            ms('start', 'on a new page', theirs),
            ms('start', 'on a new page', ours),
          ],
          [
            'an event in a list of 200 steps, until it is rendered',
            `${ms('apply-client', 'a list of steps', '@pgflow/client, a list')}, or ` +
              `${ms('apply-client', 'a list of steps', '@pgflow/client, objects')} with a ` +
              'reactive object for each step',
            ms('apply-client', 'a list of steps', ours),
          ],
          [
            "what a run costs the database (chain / fan-out / map), pgflow's own broadcasts being 1",
            '1',
            flows
              .map((flow) => pretty(ratio('sql-native', flow, 'this layer', "pgflow's own").median))
              .join(' / '),
          ],
        ],
      ),
    ],
    [
      'start',
      table(
        ['', theirs, ours, 'ours ÷ theirs'],
        starts.map((name) => [
          name,
          range('start', name, theirs),
          range('start', name, ours),
          withRange(ratio('start', name, ours, theirs)),
        ]),
      ),
    ],
    [
      'event',
      table(
        ['what renders a list of 200 steps', 'one event'],
        events.map((name) => [name, range('apply-client', 'a list of steps', name)]),
      ),
    ],
    [
      'scale',
      table(
        ['', 'few', 'many', 'many ÷ few'],
        sizes.map(([name, few, many]) => [
          `${few} or ${many}`,
          range('apply', name, few),
          range('apply', name, many),
          withRange(ratio('apply', name, many, few)),
        ]),
      ),
    ],
    [
      'sql',
      table(
        ['', 'nothing sent', "pgflow's own", 'this layer', "this layer ÷ pgflow's own"],
        flows.map((flow) => [
          flow,
          ...['nothing sent', "pgflow's own", 'this layer'].map(
            (layer) => `${pretty(spreadOf(of('sql-native', flow).milliseconds, layer).median)} ms`,
          ),
          withRange(ratio('sql-native', flow, 'this layer', "pgflow's own")),
        ]),
      ),
    ],
    [
      'messages',
      table(
        ['', "pgflow's own", 'this layer', 'this layer, private'],
        flows.map((flow) => [
          flow,
          ...["pgflow's own", 'this layer', 'this layer, private'].map((layer) =>
            String(facts[`a run, ${flow}, ${layer}`] ?? '').replace(/,? \d+ function calls/, ''),
          ),
        ]),
      ),
    ],
  ])
}

/** Puts each table between the comments that name it, and fails where one has no place. */
export function fillIn(text: string, tables: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    /(<!-- figures: (\w+) -->)[^]*?(<!-- end of figures -->)/g,
    (_all, begin: string, name: string, end: string) => {
      const found = tables.get(name)
      if (found === undefined) throw new Error(`There are no figures called ${name}.`)
      return `${begin}\n\n${found}\n\n${end}`
    },
  )
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

function spreadOf(spreads: Record<string, Spread>, name: string): Spread {
  const spread = spreads[name]
  if (!spread) throw new Error(`results.json has no "${name}".`)
  return spread
}

function withRange({ median, low, high }: Spread, unit = ''): string {
  return `${pretty(median)}${unit} (${pretty(low)} to ${pretty(high)})`
}

function pretty(value: number): string {
  return String(Number(value.toPrecision(value >= 1 && value < 10 ? 3 : 2)))
}
