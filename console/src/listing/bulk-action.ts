import { plural } from '../format/quantity.ts'
import { toastDone, toastFailed } from '../ui/toasts.tsx'

const atOnce = 5

type Bulk = { ids: readonly string[]; noun: string; done: string; act: (id: string) => Promise<unknown> }

/** Does one thing to many, a few at a time; says how many it was done to and keeps the first failure in sight. */
export async function actOnMany({ ids, noun, done, act }: Bulk): Promise<void> {
  const failures: unknown[] = []
  const waiting = [...ids]
  const worker = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      await act(id).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, ids.length) }, worker))
  const succeeded = ids.length - failures.length
  if (succeeded > 0) toastDone(`${plural(succeeded, noun)} ${done}`)
  if (failures.length > 0) toastFailed(`${plural(failures.length, noun)} not ${done}`, failures[0])
}
