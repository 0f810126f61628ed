import { parse as parseToml } from '@decimalturn/toml-patch'
import { describe, expect, it } from 'vitest'
import { exposeSchema } from '../../src/cli/install/config-toml.ts'
import { lineChanges } from '../../src/cli/install/line-changes.ts'

const parse = (text: string) => {
  const { api = {}, ...rest } = parseToml(text) as { api?: Record<string, unknown> }
  return { api, rest }
}
const expose = (text: string) => exposeSchema(text, 'config.toml')

describe('exposing the schema', () => {
  it.each([
    [
      'one line',
      '[api]\nschemas = ["a"] # b\nx = 1\n',
      '[api]\nschemas = ["a", "pgflow_client"] # b\nx = 1\n',
    ],
    ['no blanks', '[api]\nschemas=["a","b"]\n', '[api]\nschemas=["a","b","pgflow_client"]\n'],
    ['an empty list', '[api]\nschemas = []\n', '[api]\nschemas = ["pgflow_client"]\n'],
    [
      'several lines with comments',
      '[api]\nschemas = [\n  "a", # first\n  # none\n  "b",\n]\n\n[db]\n',
      '[api]\nschemas = [\n  "a", # first\n  # none\n  "b",\n  "pgflow_client",\n]\n\n[db]\n',
    ],
    [
      'single quotes over several lines',
      "[api]\nschemas = [\n  'a',\n  'b'\n]\n",
      "[api]\nschemas = [\n  'a',\n  'b',\n  \"pgflow_client\"\n]\n",
    ],
    [
      'carriage returns',
      'a = 1\r\n[api]\r\nschemas = ["a"]\r\nx = 1\r\n',
      'a = 1\r\n[api]\r\nschemas = ["a", "pgflow_client"]\r\nx = 1\r\n',
    ],
    ['a dotted key', 'api.schemas = ["a"]\n', 'api.schemas = ["a", "pgflow_client"]\n'],
    [
      'a table in one line',
      'api = { enabled = true, schemas = ["a"] }\n',
      'api = { enabled = true, schemas = ["a", "pgflow_client"] }\n',
    ],
    ['no line end', '[api]\nschemas = ["a"]', '[api]\nschemas = ["a", "pgflow_client"]'],
    [
      'a byte order mark',
      '\uFEFF[api]\nschemas = ["a"]\n',
      '\uFEFF[api]\nschemas = ["a", "pgflow_client"]\n',
    ],
  ])('in a list with %s', (_, before, after) => {
    const exposed = expose(before)
    expect(exposed.text).toBe(after)
    expect(expose(exposed.text).text).toBe(after)
  })

  const defaults = 'schemas = ["public", "graphql_public", "pgflow_client"]'
  it.each([
    [
      'a section without a list',
      '[api]\nenabled = true\n\n# The database.\n[db]\n',
      `[api]\n${defaults}\nenabled = true\n\n# The database.\n[db]\n`,
    ],
    [
      'the same with carriage returns',
      '[api]\r\nport = 1\r\n',
      `[api]\r\n${defaults}\r\nport = 1\r\n`,
    ],
    ['a header without a line end', 'a = 1\n[ api ] # b', `a = 1\n[ api ] # b\n${defaults}\n`],
  ])('in %s, beside what Supabase exposes by default', (_, before, after) => {
    expect(expose(before).text).toBe(after)
  })

  it.each([
    ['an empty file', ''],
    ['no section of that name', 'project_id = "a" # b\n\n[db]\nport = 1\n'],
    ['a section below it only', '# top\n[api.tls]\nenabled = false\n'],
    ['text that looks like the section', 'a = """\n[api]\n"""\n'],
  ])('in a file with %s, and changes nothing else', (_, before) => {
    const { text } = expose(before)
    const had = parse(before)
    expect(parse(text)).toEqual({
      api: { ...had.api, schemas: ['public', 'graphql_public', 'pgflow_client'] },
      rest: had.rest,
    })
    for (const comment of before.match(/#.*/g) ?? []) expect(text).toContain(comment)
  })

  it('in the lists of remotes too, where they have their own', () => {
    const before = `[api]\nschemas = ["public"]\n
[remotes.live]\nproject_id = "a"\n
[remotes.live.api]\nschemas = ["public"] # live\n
[remotes.test]\nproject_id = "b"\n`
    expect(expose(before).text).toBe(before.replaceAll('["public"]', '["public", "pgflow_client"]'))
  })

  it('reports when the API is off', () => {
    expect(expose('[api]\nenabled = false\nschemas = ["pgflow_client"]\n')).toEqual({
      text: '[api]\nenabled = false\nschemas = ["pgflow_client"]\n',
      isApiOff: true,
    })
  })

  it.each([
    ['no list', '[api]\nschemas = "env(SCHEMAS)"\n', 'are not a list of names'],
    ['a list of something else', '[api]\nschemas = [1]\n', 'are not a list of names'],
    ['no table', 'api = 1\n', 'cannot be read as TOML'],
    ['the section twice', '[api]\nport = 1\n[api]\nport = 2\n', 'cannot be read as TOML'],
    ['no TOML', '<html>', 'cannot be read as TOML'],
  ])('is refused where there is %s', (_, text, message) => {
    expect(() => expose(text)).toThrow(message)
  })
})

describe('the lines that change', () => {
  it('are shown with those around them', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\n'
    expect(lineChanges(before, before.replace('d', 'D\nE'))).toEqual([
      '  b',
      '  c',
      '- d',
      '+ D',
      '+ E',
      '  e',
      '  f',
    ])
    expect(lineChanges(before, before)).toEqual([])
    expect(lineChanges('', 'a\n')).toEqual(['+ a'])
    expect(lineChanges('a\r\nb\r\n', 'a\r\n')).toEqual(['  a', '- b'])
  })
})
