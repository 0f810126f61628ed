import type { PgflowError } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import { noAnswers } from '../../support/no-answers.ts'
import { outcomes } from './support/answers.ts'

describe('what is no response of the database', () => {
  const expectNoAnswer = (failures: unknown[]) => {
    for (const failure of failures) {
      expect(failure).toMatchObject({ code: 'unreachable', isTransient: true })
      const { message } = failure as PgflowError
      expect(message.length).toBeLessThan(120)
      expect(message).not.toMatch(/[<>{]|upstream|paused/)
    }
  }

  it.each(noAnswers)('$what ($status) fails every call in the same way', async (noAnswer) => {
    expectNoAnswer((await outcomes(() => noAnswer)).failures)
  })

  it('so does an empty response, where one is expected', async () => {
    expectNoAnswer((await outcomes(() => ({ status: 200, body: '' }))).failures)
  })

  // The client repeats what it reads by GET after 503 and 520 on its own, for seconds.
  const plain = noAnswers.filter(({ status }) => status !== 503 && status !== 520)
  it.each(plain)('$what ($status) does so with plain pgflow', async (noAnswer) => {
    expectNoAnswer((await outcomes(() => noAnswer, 'pgflow')).failures)
  })

  it.each([
    [401, '{"message":"Invalid API key"}', 'unauthorized', 'Invalid API key'],
    [403, '', 'unauthorized', ''],
    [413, '<html><h1>413 Request Entity Too Large</h1></html>', 'too_large', ''],
    [429, '<html><title>1015</title></html>', 'rate_limited', ''],
    [429, `{"message":"${'slow '.repeat(100)}"}`, 'rate_limited', 'slow'],
  ])('%i has a text all the same: %s', async (status, body, code, said) => {
    for (const failure of (await outcomes(() => ({ status, body }))).failures) {
      expect(failure).toMatchObject({ code, message: expect.stringContaining(said) as string })
      expect((failure as PgflowError).message).toMatch(/^[^<>]{8,250}$/)
    }
  })
})
