import { describe, expect, it } from 'vitest'
import { Mailbox } from '../../../playground/backend/realtime/mailbox.ts'

describe('a mailbox', () => {
  it('runs what has nothing in front of it at once', () => {
    const done: string[] = []
    new Mailbox().push(() => void done.push('now'))
    expect(done).toEqual(['now'])
  })

  it('keeps the order, however long a task takes', async () => {
    const mailbox = new Mailbox()
    const done: string[] = []
    const { promise, resolve } = deferred()
    mailbox.push(async () => {
      await promise
      done.push('slow')
    })
    mailbox.push(() => void done.push('next'))
    const last = new Promise<void>((settle) => mailbox.push(settle))
    expect(done).toEqual([])
    resolve()
    await last
    expect(done).toEqual(['slow', 'next'])
  })

  it('runs what a task adds after what was already there', () => {
    const mailbox = new Mailbox()
    const done: string[] = []
    mailbox.push(() => {
      mailbox.push(() => void done.push('added'))
      done.push('first')
    })
    expect(done).toEqual(['first', 'added'])
  })

  it('forgets the rest when it closes', async () => {
    const mailbox = new Mailbox()
    const done: string[] = []
    const { promise, resolve } = deferred()
    mailbox.push(() => promise)
    mailbox.push(() => void done.push('queued'))
    mailbox.close()
    mailbox.push(() => void done.push('late'))
    resolve()
    await promise
    await new Promise((settle) => setImmediate(settle))
    expect(done).toEqual([])
  })
})

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => (resolve = settle))
  return { promise, resolve }
}
