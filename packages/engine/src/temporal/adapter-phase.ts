import type { WorkflowInterceptors } from '@temporalio/workflow'

/**
 * While the SDK hands jobs to a run it looks at conditions as well, before the code of the run has gone on. That look is
 * too early: the embedded engine looks when all is quiet. A part of every bundle, as an interceptor.
 */
export const phase = { isActivating: false }

export const interceptors = (): WorkflowInterceptors => ({
  internals: [
    {
      activate: (input, next) => {
        phase.isActivating = true
        try {
          next(input)
        } finally {
          phase.isActivating = false
        }
      },
    },
  ],
})
