import { describe, expect, it } from 'vitest'
import { readArguments } from '../../../playground/backend/cli-arguments.ts'

describe('the arguments of npm run backend', () => {
  it.each([
    [[], { port: 0, help: false }],
    [['--port', '54321'], { port: 54321, help: false }],
    [['--port=0', '--help'], { port: 0, help: true }],
  ])('may be %j', (args, expected) => {
    expect(readArguments(args)).toEqual(expected)
  })

  it.each([
    [['--port', 'http'], '--port takes a number up to 65535, not "http".'],
    [['--port', '70000'], '--port takes a number up to 65535, not "70000".'],
    [['--port', ''], '--port takes a number up to 65535, not "".'],
    [['--port'], 'argument missing'],
    [['--prot', '1'], "Unknown option '--prot'"],
    [['54321'], 'Unexpected argument'],
  ])('may not be %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message)
  })
})
