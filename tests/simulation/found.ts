import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Plan } from './plan.ts'

/** A schedule that has found a fault, made small. As a plan: what a seed means changes. */
export interface Found {
  /** What was wrong, in a sentence. */
  what: string
  plan: Plan
}

const folder = new URL('./found/', import.meta.url)

/** All of them. */
export function readFound(): Found[] {
  return readdirSync(folder).map((name) => {
    // Written by this file.
    return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Found
  })
}

/** Keeps one more. */
export function keepFound(name: string, found: Found): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(found, null, 2)}\n`)
}
