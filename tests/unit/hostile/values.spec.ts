import type { StandardSchemaV1 } from '@standard-schema/spec'
import { createPinia } from 'pinia'
import {
  flowSchemas,
  type RunsQuery,
  useFlow,
  usePgflowListStore,
  usePgflowStore,
  useRun,
  useRuns,
} from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { createSSRApp, defineComponent, h } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { expectConsole } from '../../support/no-warnings.ts'
import { mountIn } from '../../support/app.ts'
import { failureOf, nested } from './support/hostile.ts'

const secret = 'jane@example.org'
const flows = { greet: { hello: { output: { mail: secret } } } }

/** A schema that quotes the value in every way that it can. */
const quoting = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown) => {
      const text = JSON.stringify(value)
      return { issues: [{ message: `${text} is wrong`, path: ['mail'], code: text, type: 'mail' }] }
    },
  },
}
/** One that throws an error about the value. */
const throwing = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    validate: (value: unknown): never => {
      throw new SyntaxError(JSON.stringify(value))
    },
  },
}

describe('an output that is not what its schema describes', () => {
  const schemas = [
    ['by valibot', v.object({ mail: v.number() }), 'mail: number'],
    ['by one that quotes it', quoting, 'mail: mail'],
    ['by one that throws', throwing, 'could not be checked: SyntaxError'],
  ] as const

  it.each(schemas)('%s is shown by path and kind only', async (_, hello, words) => {
    const printed: string[] = []
    const pgflow = createTestPgflow({
      flows,
      schemas: flowSchemas({ greet: { steps: { hello } } }),
      onError: (error) => printed.push(`${error.message} ${JSON.stringify(error.cause)}`),
    })
    const { result, store, wrapper } = mountIn(pgflow, () => useFlow('greet'))
    await result.startAsync({})
    await pgflow.latestRun().play()
    expect(result.outputError.value?.message).toContain(words)
    expect(JSON.stringify(store.outputErrors)).not.toContain(secret)
    expect(printed.join()).toContain(words)
    expect(printed.join()).not.toContain(secret)
    wrapper.unmount()
  })

  it('is printed so on a server too', async () => {
    expectConsole(/^(?!.*jane@example).*hello of greet is not valid: mail: number/)
    const pgflow = createTestPgflow({
      flows,
      ssr: true,
      schemas: flowSchemas({ greet: { steps: { hello: v.object({ mail: v.number() }) } } }),
    })
    const run = pgflow.seedRun('greet', {}, { status: 'completed' })
    const pinia = createPinia()
    const page = defineComponent({
      setup() {
        const { run: shown } = useRun(run.id)
        return () => h('p', shown.value?.status)
      },
    })
    expect(await renderToString(createSSRApp(page).use(pinia).use(pgflow))).toBe('<p>completed</p>')
    expect(JSON.stringify(usePgflowStore(pinia).outputErrors)).not.toContain(secret)
  })
})

describe('an input that cannot be sent', () => {
  const zeroByte = expect.stringMatching(/zero byte/) as string
  const halfCharacter = expect.stringMatching(/half a character/) as string
  const inputs: [string, unknown, string][] = [
    ['nested deeper than the stack', nested(20_000), expect.stringMatching(/deeply/) as string],
    ['with a zero byte', { text: 'a\0b' }, zeroByte],
    ['with a zero byte in a key', { 'a\0': [] }, zeroByte],
    ['with one behind a backslash', ['\\\0'], zeroByte],
    ['with half a character', { text: 'a\ud83db' }, halfCharacter],
    ['with the other half in a key', { 'a\ude00': [] }, halfCharacter],
    ['with two halves in the wrong order', ['\ude00\ud83d'], halfCharacter],
    ['with one behind a backslash', ['\\\ud800'], halfCharacter],
    ['that is a function', () => null, expect.stringMatching(/JSON/) as string],
    ['of big integers', [1n], expect.stringMatching(/JSON/) as string],
  ]

  it.each(inputs)('%s fails at once and requests nothing', async (_, input, message) => {
    const pgflow = createTestPgflow({ flows })
    const { result, store, wrapper } = mountIn(pgflow, () => useFlow('greet'))
    const error = await failureOf(() => result.startAsync(input as null))
    expect(error).toMatchObject({ code: 'invalid_input', message })
    expect(result.error.value).toBe(error)
    expect(pgflow.requests).toEqual([])
    expect(store.runs).toEqual({})
    wrapper.unmount()
  })

  it('a text that only names them is sent as it is, and so is every whole character', async () => {
    const pgflow = createTestPgflow({ flows })
    const { result, wrapper } = mountIn(pgflow, () => useFlow('greet'))
    const input = {
      text: String.raw`\u0000 \\u0000 \ud83d \\uDE00`,
      '\\': '\\',
      '😀': '\ud83d\ude00',
    }
    expect((await result.startAsync(input)).input).toEqual(input)
    wrapper.unmount()
  })

  it.each(['', 'a\0b', 'a\ud83d', '\ude00b', 7, null, undefined, {}])(
    'a slug that is none: %j',
    async (slug) => {
      const pgflow = createTestPgflow({ flows })
      const { store, wrapper } = mountIn(pgflow, () => usePgflowStore())
      for (const work of [
        () => store.startFlow(slug as string, {}),
        () => store.fetchFlow(slug as string),
      ]) {
        expect(await failureOf(work)).toMatchObject({ code: 'invalid_input' })
      }
      expect(pgflow.requests).toEqual([])
      wrapper.unmount()
    },
  )
})

describe('a list of something that cannot be', () => {
  it.each([
    ['no query', null],
    ['a text', 'greet'],
    ['a flow with a zero byte', { flow: 'a\0' }],
    ['a flow with half a character', { flow: '\ud83d' }],
    ['a status with half a character', { status: '\ude00' }],
  ])('%s is refused at once, and requests nothing', async (_, query) => {
    const pgflow = createTestPgflow({ flows })
    const { result, lists, wrapper } = mountIn(pgflow, () => useRuns(() => query as RunsQuery))
    expect(result.error.value?.code).toBe('invalid_options')
    expect(result.runs.value).toEqual([])
    expect(lists.runsOf(query as RunsQuery)).toEqual([])
    for (const work of [
      () => new Promise((resolve) => resolve(lists.observeRuns(query as RunsQuery))),
      () => lists.fetchRuns(query as RunsQuery),
      () => result.refresh(),
    ]) {
      expect(await failureOf(work)).toMatchObject({ code: 'invalid_options' })
    }
    expect(pgflow.requests).toEqual([])
    wrapper.unmount()
  })

  it.each([7, {}, 'a\ud83d', '\0'])('a cursor that is none: %j', async (before) => {
    const pgflow = createTestPgflow({ flows })
    const { lists, wrapper } = mountIn(pgflow, () => usePgflowListStore())
    const error = await failureOf(() => lists.fetchRuns({}, before as string))
    expect(error).toMatchObject({ code: 'invalid_options' })
    expect(pgflow.requests).toEqual([])
    wrapper.unmount()
  })
})

describe('the message of an output that is not valid', () => {
  const issues = (count: number, of: (index: number) => StandardSchemaV1.Issue) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: () => ({ issues: Array.from({ length: count }, (_, index) => of(index)) }),
    },
  })
  const messageOf = async (schema: StandardSchemaV1, which: 'input' | 'output') => {
    const schemas = which === 'input' ? { input: schema } : { steps: { hello: schema } }
    const pgflow = createTestPgflow({
      flows,
      schemas: flowSchemas({ greet: schemas }),
      onError: () => {},
    })
    const { result, wrapper } = mountIn(pgflow, () => useFlow('greet'))
    await result.start({})
    if (which === 'output') await pgflow.latestRun().play()
    wrapper.unmount()
    return (which === 'input' ? result.error.value : result.outputError.value)?.message
  }

  it.each(['input', 'output'] as const)('names three of many issues: %s', async (which) => {
    const many = issues(1_000, (index) => ({ message: 'wrong', path: [index] }))
    const message = await messageOf(many, which)
    expect(message).toMatch(/0: .*; 1: .*; 2: .*; and 997 more$/)
    expect(
      await messageOf(
        issues(3, () => ({ message: 'wrong' })),
        which,
      ),
    ).not.toContain('more')
  })

  it.each(['input', 'output'] as const)(
    'is short whatever an issue contains: %s',
    async (which) => {
      const long = issues(10, () => ({
        message: 'm\n'.repeat(1_000),
        path: Array.from({ length: 30 }, () => ({ key: 'k\n'.repeat(100) })),
      }))
      const message = await messageOf(long, which)
      expect(message?.length).toBeLessThan(1_200)
      expect(message).not.toContain('\n')
    },
  )

  it('takes every key that a path can have', async () => {
    const odd = issues(1, () => ({ message: 'wrong', path: [Symbol('s'), 0, { key: Symbol() }] }))
    expect(await messageOf(odd, 'output')).toContain('Symbol(s).0.Symbol()')
  })
})
