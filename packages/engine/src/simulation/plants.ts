import type { PastEvent, Store } from '@kyros/store/store'
import type { Random } from './random.ts'
import type { SimulatedStep } from './simulated-steps.ts'

/** A fault built in on purpose, to see that the simulation finds it. */
export type Plant = {
  readonly store?: (store: Store, random: Random) => Store
  readonly step?: (step: SimulatedStep) => SimulatedStep
}

type Write = (command: Appending & { kind: string }) => Promise<unknown>

/** The store with another `write`. */
function withWrite(store: Store, write: (original: Write) => Write): Store {
  // Border cast: a plant breaks what the types promise.
  const planted = write(store.write as unknown as Write)
  return new Proxy(store, { get: (target, name) => (name === 'write' ? planted : Reflect.get(target, name)) })
}

function withReads<K extends 'runs'>(store: Store, noun: K, reads: Partial<Store[K]>): Store {
  const planted = { ...store[noun], ...reads }
  return new Proxy(store, { get: (target, name) => (name === noun ? planted : Reflect.get(target, name)) })
}

type Appending = {
  [field: string]: unknown
  appends?: readonly Appending[]
  events?: readonly { type: string }[]
}

const isAppend = ({ kind }: { kind: string }) => kind === 'append_run_events' || kind === 'append_many'

/** What the store would answer if it had written. */
function pretended({ appends }: Appending): unknown {
  return appends === undefined ? { seqs: [1] } : appends.map(() => ({ firstSeq: 1 }))
}

/** The command with each of its appends changed. */
function changed(command: Appending, change: (one: Appending) => Appending): Appending {
  const { appends } = command
  return appends === undefined ? change(command) : { ...change(command), appends: appends.map(change) }
}

/** Each is a fault that a real engine or store could have. */
export const plants: { readonly [name: string]: Plant } = {
  /** Says that a write is on disk before it is. */
  acknowledge_early: {
    store: (store) =>
      withWrite(store, (write) => (command) => {
        if (!isAppend(command) && command.kind !== 'submit_job') return write(command)
        write(command).catch(() => {})
        return Promise.resolve(pretended(command))
      }),
  },
  /** Says that a write is on disk, and forgets it. */
  drop_write: {
    store: (store, random) =>
      withWrite(
        store,
        (write) => (command) =>
          isAppend(command) && random.chance(0.02) ? Promise.resolve(pretended(command)) : write(command),
      ),
  },
  /** Writes without looking whether somebody else has written. */
  unfenced: {
    store: (store) =>
      withWrite(store, (write) => (command) => {
        const unfenced = changed(command, ({ expectedRunSeq, unlessEnded, epoch, ...rest }) => rest)
        return write({ ...unfenced, kind: command.kind })
      }),
  },
  /** Takes itself for every other process that could hold the lease. */
  same_holder: {
    store: (store) =>
      withWrite(
        store,
        (write) => (command) =>
          write(command.kind === 'acquire_engine_lease' ? { ...command, holder: 'everybody' } : command),
      ),
  },
  /** Writes a signal twice. */
  double_signal: {
    store: (store) =>
      withWrite(store, (write) => (command) => {
        if (!isAppend(command)) return write(command)
        const doubled = changed(command, ({ events, ...rest }) => {
          if (events === undefined) return rest
          return {
            ...rest,
            events: events.flatMap((event) => (event.type === 'signal.received' ? [event, event] : [event])),
          }
        })
        return write({ ...doubled, kind: command.kind })
      }),
  },
  /** Reads a history without its completed steps. */
  forget_completion: {
    store: (store) =>
      withReads(store, 'runs', {
        histories: async (runIds: readonly string[]) => {
          const histories = await store.runs.histories(runIds)
          const without = (events: PastEvent[]) => events.filter(({ type }) => type !== 'step.completed')
          return new Map([...histories].map(([runId, events]) => [runId, without(events)]))
        },
      }),
  },
  /** Does not find every run that has not ended. */
  forget_run: {
    store: (store) =>
      withReads(store, 'runs', {
        unfinished: async (...args: Parameters<Store['runs']['unfinished']>) =>
          (await store.runs.unfinished(...args)).slice(1),
        unfinishedIds: async (...args: Parameters<Store['runs']['unfinishedIds']>) =>
          (await store.runs.unfinishedIds(...args)).slice(1),
      }),
  },
  /** Calls the implementation of a step twice. */
  call_twice: {
    step: (step) => async (input, context) => {
      step(input, context).catch(() => {})
      return step(input, context)
    },
  },
}
