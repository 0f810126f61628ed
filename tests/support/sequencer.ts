import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Short files that take long. Vitest takes the size of a file that it has not run for its time. */
const long = new Set([
  'tests/backend/cli.spec.ts',
  'tests/backend/lifecycle.spec.ts',
  'tests/simulation/simulation.spec.ts',
])

/** The order of Vitest, but what takes long comes first in its project, not last beside idle cores. */
export class Sequencer extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const isLong = ({ project, moduleId }: TestSpecification) =>
      long.has(relative(project.config.root, moduleId))
    const projects = new Set(sorted.map(({ project }) => project))
    return [...projects].flatMap((project) => {
      const own = sorted.filter((file) => file.project === project)
      return [...own.filter(isLong), ...own.filter((file) => !isLong(file))]
    })
  }
}
