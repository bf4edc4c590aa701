import { afterEach, describe } from 'vitest'
import { testBudget } from './suite/budget.suite.ts'
import { testCancellation } from './suite/cancellation.suite.ts'
import { testChildren } from './suite/children.suite.ts'
import { testConcurrency } from './suite/concurrency.suite.ts'
import { testDivergence } from './suite/divergence.suite.ts'
import { testFailures } from './suite/failures.suite.ts'
import { testFork } from './suite/fork.suite.ts'
import { testInline } from './suite/inline.suite.ts'
import { testOrder } from './suite/order.suite.ts'
import { testPause } from './suite/pause.suite.ts'
import { testRecovery } from './suite/recovery.suite.ts'
import type { EngineRig, SuiteCase, SuiteOptions } from './suite/rig.ts'
import { testSignals } from './suite/signals.suite.ts'
import { testStepContext } from './suite/step-context.suite.ts'
import { testStreams } from './suite/streams.suite.ts'
import { testStructure } from './suite/structure.suite.ts'
import { testSubmission } from './suite/submission.suite.ts'
import { testTimers } from './suite/timers.suite.ts'
import { testUpdates } from './suite/updates.suite.ts'
import { testUpgrade } from './suite/upgrade.suite.ts'
import { testWaitpoints } from './suite/waitpoints.suite.ts'

/** What every engine must do. Run by each implementation on each store. */
export function testEngine({ name, create, isBrief = false }: SuiteCase): void {
  describe(name, () => {
    const rigs: EngineRig[] = []
    const open = async (options: SuiteOptions) => {
      const rig = await create(options)
      rigs.push(rig)
      return rig
    }
    afterEach(async () => {
      for (const rig of rigs.splice(0)) await rig.stop()
    })
    testOrder(open)
    testFailures(open)
    testTimers(open)
    testCancellation(open)
    testSignals(open)
    testRecovery(open)
    testDivergence(open)
    testSubmission(open)
    testStepContext(open)
    testInline(open)
    if (!isBrief) {
      testChildren(open)
      testStructure(open)
      testWaitpoints(open)
      testUpdates(open)
    }
    testUpgrade(open)
    testStreams(open)
    testPause(open)
    testFork(open)
    testConcurrency(open)
    testBudget(open)
  })
}
