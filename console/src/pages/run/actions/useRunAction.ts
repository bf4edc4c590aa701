import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query'
import { runQuery } from '../../../api/queries.ts'
import { toastDone, toastFailed } from '../../../ui/toasts.tsx'

type Action<Input, Output> = {
  runId: string
  act: (input: Input) => Promise<Output>
  /** What a failure is called. */
  failed: string
  done?: string
}

/** Something that is done to the run of this page. Its events move the page; this bridges the moment until the first. */
export function useRunAction<Input = void, Output = unknown>({
  runId,
  act,
  failed,
  done,
}: Action<Input, Output>): UseMutationResult<Output, Error, Input> {
  const queryClient = useQueryClient()
  return useMutation({
    mutationFn: act,
    onSuccess: () => {
      if (done !== undefined) toastDone(done)
      void queryClient.invalidateQueries({ queryKey: [...runQuery(runId).queryKey, 'why'] })
      return queryClient.invalidateQueries({ queryKey: runQuery(runId).queryKey, exact: true })
    },
    onError: (error) => toastFailed(failed, error),
  })
}
