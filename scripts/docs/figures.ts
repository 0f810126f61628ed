import type { Findings } from '../../tests/bench/benchmark.ts'
import type { Comparison, Ratio, Spread } from '../../tests/bench/harness.ts'

/** What tests/bench/results.json holds, by the name of the benchmark. */
export type Results = Record<string, Findings | undefined>

/** An entry of .size-limit.json. */
export interface SizeLimit {
  name: string
  limit: string
}

const ours = 'pinia-pgflow'
const theirs = '@pgflow/client'
const layers = ['nothing sent', "pgflow's own", 'this layer', 'this layer, private'] as const

/** The tables of the documents, by name. */
const tables: Record<string, (figures: Figures) => string> = {
  comparison: (figures) =>
    table(
      ['measured side by side', theirs, ours],
      [
        [
          'a start, until the database has confirmed it, at a round trip of 50 ms',
          figures.ms('start', 'on a new page', theirs),
          figures.ms('start', 'on a new page', ours),
        ],
        [
          'an event in a list of 200 steps, until it is rendered',
          `${figures.ms('apply-client', 'a row of a step written', '@pgflow/client, objects')} with a ` +
            'reactive object for each step; ' +
            `${pretty(figures.ratio('apply-client', 'the list made anew', '@pgflow/client, a list', ours).median)} ` +
            'times ours with a list that is made anew',
          figures.ms('apply-client', 'a row of a step written', ours),
        ],
        [
          "what a run costs the database (chain / fan-out / map), pgflow's own broadcasts being 1",
          '1',
          figures.flows.map((flow) => pretty(figures.sqlRatio(flow).median)).join(' / '),
        ],
        [
          'minified and gzipped, without supabase-js, Vue and Pinia',
          '4.2 kB',
          `at most ${figures.sizeOf('createPgflow')}, ` +
            `${figures.sizeOf('the same with useRuns')} with lists`,
        ],
      ],
    ),

  start: (figures) =>
    table(
      ['', theirs, ours, 'ours ÷ theirs'],
      ['on a new page', 'the second start of a page'].map((name) => [
        name,
        figures.range('start', name, theirs),
        figures.range('start', name, ours),
        withRange(figures.ratio('start', name, ours, theirs)),
      ]),
    ),

  event: (figures) =>
    table(
      ['what renders a list of 200 steps', 'one event'],
      [
        ...[ours, '@pgflow/client, objects', 'the floor'].map((name) => [
          name,
          figures.range('apply-client', 'a row of a step written', name),
        ]),
        [
          '@pgflow/client, a list',
          `${withRange(figures.ratio('apply-client', 'the list made anew', '@pgflow/client, a list', ours))} times ours`,
        ],
      ],
    ),

  paint: (figures) =>
    figures.table('paint', () =>
      table(
        ['', theirs, ours],
        [
          [
            'from the commit to the painted frame',
            figures.range('paint', 'commit to painted frame', theirs),
            figures.range('paint', 'commit to painted frame', ours),
          ],
        ],
      ),
    ),

  reconnect: (figures) =>
    figures.table('reconnect', () =>
      table(
        ['followed', 'until all are right', ours, `${theirs}, which reads nothing`],
        ['1 run', '100 runs', '500 runs'].map((runs) => [
          runs,
          figures.range('reconnect', runs, ours),
          figures.traffic(runs, ours),
          // A connection has 100 channels at most, and it takes one for each run.
          runs === '500 runs' ? 'not possible: 100 channels' : figures.traffic(runs, theirs),
        ]),
      ),
    ),

  memory: (figures) =>
    figures.table('memory', () =>
      table(
        ['kB', theirs, ours],
        [
          ['a run of 10 steps that is followed', 'a run that is followed'],
          ['a run that was shown before', 'a run that was shown once'],
          [
            'a page that is opened and closed again, of 1,000',
            'a page that is opened and closed again',
          ],
        ].map(([title = '', fact = '']) => [
          title,
          figures.fact('memory', `${fact}, ${theirs}, kB`),
          figures.fact('memory', `${fact}, ${ours}, kB`),
        ]),
      ),
    ),

  scale: (figures) =>
    table(
      ['', 'few', 'many', 'many ÷ few'],
      (
        [
          ['runs held', '10 runs', '10,000 runs'],
          ['steps of the run', '10 steps', '10,000 steps'],
        ] as const
      ).map(([name, few, many]) => [
        `${few} or ${many}`,
        figures.range('apply', name, few),
        figures.range('apply', name, many),
        withRange(figures.ratio('apply', name, many, few)),
      ]),
    ),

  sql: (figures) =>
    table(
      ['', ...layers.slice(0, 3), "this layer ÷ pgflow's own"],
      figures.flows.map((flow) => [
        flow,
        ...layers.slice(0, 3).map((layer) => figures.ms('sql-native', flow, layer)),
        withRange(figures.sqlRatio(flow)),
      ]),
    ),

  messages: (figures) =>
    table(
      ['', ...layers.slice(1)],
      figures.flows.map((flow) => [
        flow,
        ...layers.slice(1).map((layer) => figures.written(flow, layer)),
      ]),
    ),

  sizes: (figures) =>
    table(
      ['what is imported', 'at most'],
      figures.limits.map(({ name, limit }) => [name.replace(/ \(figure: .*\)$/, ''), limit]),
    ),
}

/** What was measured, by name. What is missing throws. */
class Figures {
  readonly #results: Results
  readonly limits: readonly SizeLimit[]
  /** The flows that were run in the database. */
  readonly flows: readonly string[]

  constructor(results: Results, limits: readonly SizeLimit[]) {
    this.#results = results
    this.limits = limits
    this.flows = Object.keys(results['sql-native']?.comparisons ?? {})
  }

  ms(benchmark: string, comparison: string, variant: string): string {
    return `${pretty(this.#spread(benchmark, comparison, variant).median)} ms`
  }

  range(benchmark: string, comparison: string, variant: string): string {
    return withRange(this.#spread(benchmark, comparison, variant), ' ms')
  }

  ratio(benchmark: string, comparison: string, of: string, to: string): Ratio {
    const { ratios } = this.#comparison(benchmark, comparison)
    return found(
      ratios.find((ratio) => ratio.of === of && ratio.to === to),
      `${of} / ${to}`,
    )
  }

  sqlRatio(flow: string): Ratio {
    return this.ratio('sql-native', flow, 'this layer', "pgflow's own")
  }

  /** How many messages and how much WAL a run makes. */
  written(flow: string, layer: string): string {
    const fact = `a run, ${flow}, ${layer}`
    return String(found(this.#results['sql-native']?.facts[fact], fact)).replace(
      /,? \d+ function calls/,
      '',
    )
  }

  /** A table of a benchmark; a sentence until that benchmark has been run. */
  table(benchmark: string, make: () => string): string {
    if (this.#results[benchmark]) return make()
    return `Not measured yet: \`npm run bench -- --only ${benchmark}\`.`
  }

  /** What was counted. */
  fact(benchmark: string, name: string): string {
    return String(found(this.#results[benchmark]?.facts[name], name))
  }

  /** What a reconnect sends. */
  traffic(runs: string, library: string): string {
    const count = (what: string) => Number(this.fact('reconnect', `${runs}, ${library}, ${what}`))
    const many = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
    const size = `${pretty(count('bytes') / 1000)} kB`
    return [many(count('requests'), 'request'), many(count('joins'), 'join'), size].join(', ')
  }

  sizeOf(name: string): string {
    return found(
      this.limits.find((limit) => limit.name.startsWith(name)),
      name,
    ).limit
  }

  #comparison(benchmark: string, name: string): Comparison {
    return found(this.#results[benchmark]?.comparisons[name], `${benchmark}: ${name}`)
  }

  #spread(benchmark: string, comparison: string, variant: string): Spread {
    return found(this.#comparison(benchmark, comparison).milliseconds[variant], variant)
  }
}

/** Puts each table between the comments that name it. */
export function fillIn(text: string, results: Results, limits: readonly SizeLimit[]): string {
  const figures = new Figures(results, limits)
  return text.replaceAll(
    /(<!-- figures: (\w+) -->)[^]*?(<!-- end of figures -->)/g,
    (_all, begin: string, name: string, end: string) =>
      `${begin}\n\n${found(tables[name], `table ${name}`)(figures)}\n\n${end}`,
  )
}

function found<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`There are no figures of "${name}".`)
  return value
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

function withRange({ median, low, high }: Spread, unit = ''): string {
  return `${pretty(median)}${unit} (${pretty(low)} to ${pretty(high)})`
}

function pretty(value: number): string {
  return String(Number(value.toPrecision(value >= 1 && value < 10 ? 3 : 2)))
}
