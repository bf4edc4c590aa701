import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** These run a shared suite of many tests, or a browser: a small file says nothing of it. */
const isLong = ({ moduleId }: TestSpecification) =>
  /\.((pg|temporal)\.test|e2e)\.ts$|\/(embedded-engine|store|simulation\.integration)\.test\.ts$/.test(
    moduleId,
  )

/** Begins with what takes long, so that no core waits for another at the end. */
export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
