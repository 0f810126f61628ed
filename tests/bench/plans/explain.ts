import { createClient } from '../../sql/support/native/cluster.ts'

type Client = ReturnType<typeof createClient>

/** A statement as the database executed it, wherever in a function it was. */
export interface Executed {
  /** The innermost function, as Postgres names it; the statement itself where there is none. */
  where: string
  query: string
  /** Tables that were read from end to end, and how many rows were looked at. */
  scans: { table: string; rows: number }[]
  plan: Node
}

/** A part of a plan as `explain (format json)` tells it. */
export interface Node {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows'?: number
  'Actual Loops'?: number
  'Rows Removed by Filter'?: number
  Plans?: Node[]
}

/** A session that tells the plan of every statement it executes, those inside functions too. */
export class ExplainingSession {
  readonly #client: Client
  #executed: Executed[] = []

  private constructor(client: Client) {
    this.#client = client
    client.on('notice', ({ message, where }) => {
      const start = message?.indexOf('plan:\n') ?? -1
      if (message === undefined || start < 0) return
      this.#executed.push(read(message.slice(start + 6), where))
    })
  }

  static async open(port: number, database: string): Promise<ExplainingSession> {
    const client = createClient(port, database)
    await client.connect()
    return new ExplainingSession(client)
  }

  async exec(sql: string): Promise<void> {
    await this.#client.query(sql)
  }

  async query<Row>(sql: string, params: unknown[] = []): Promise<Row[]> {
    // The caller knows its own SQL.
    const { rows }: { rows: unknown } = await this.#client.query(sql, params)
    return rows as Row[]
  }

  /** Every statement that `work` executes, as executed. */
  async explain(work: () => Promise<void>): Promise<Executed[]> {
    await this.exec(`
      load 'auto_explain';
      set auto_explain.log_min_duration = 0;
      set auto_explain.log_nested_statements = on;
      set auto_explain.log_analyze = on;
      set auto_explain.log_timing = off;
      set auto_explain.log_format = json;
      set auto_explain.log_level = notice;
    `)
    this.#executed = []
    await work()
    await this.exec('set auto_explain.log_min_duration = -1')
    return this.#executed
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

function read(text: string, where = ''): Executed {
  // Postgres wrote it.
  const { 'Query Text': query, Plan: plan } = JSON.parse(text) as {
    'Query Text': string
    Plan: Node
  }
  const scans = nodesOf(plan)
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => ({ table: node['Relation Name'] ?? '', rows: rowsRead(node) }))
  return { where: where.split('\n')[0] ?? '', query, scans, plan }
}

function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

function rowsRead(node: Node): number {
  const each = (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)
  return each * (node['Actual Loops'] ?? 1)
}

/** A plan in a few lines: what is read, by which index, and how many rows came of it. */
export function outline(node: Node, depth = 0): string {
  const { 'Node Type': type, 'Relation Name': table, 'Index Name': index } = node
  const rows = `${node['Actual Rows'] ?? 0} rows × ${node['Actual Loops'] ?? 1}`
  const line = [type, table && `on ${table}`, index && `using ${index}`, `(${rows})`]
  return [
    '  '.repeat(depth) + line.filter(Boolean).join(' '),
    ...(node.Plans ?? []).map((part) => outline(part, depth + 1)),
  ].join('\n')
}
