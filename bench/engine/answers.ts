/** What a closed loop did in its window; all times are of the wall clock. */
export type Load = {
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Event-loop delay of the process that ran engine and load, as `monitorEventLoopDelay` sees it at 1 ms. */
  delayP99Ms: number
  /**
   * User and system time of that process for each finished workflow; servers beside it are not in it. Null when fewer
   * workflows ended in the window than were under way.
   */
  cpuUsPerWorkflow: number | null
}

export type Loop = { concurrency: number; windowMs: number; warmMs: number }

/** What a process can be asked to do, by name. Parameters and answers cross the process border as JSON. */
export type Methods = { readonly [name: string]: (params: never) => Promise<unknown> }

/** A process of one engine: what it can do, and how it ends. */
export type Contestant = { methods: Methods; close(): Promise<void> }
