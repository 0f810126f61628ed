import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The first of them kill most mutants, in no time. */
const order = ['/unit/model/', '/unit/sync/', '/unit/store/', '/unit/testing/', '/mutation/']

/** A mutant is dead with the first test that fails: those that are quick go first. */
export class QuickFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files.toSorted((a, b) => rankOf(a) - rankOf(b)))
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const slow = moduleId.endsWith('lists-faults.spec.ts') ? order.length : 0
  return slow + order.findIndex((folder) => moduleId.includes(folder))
}
