import type { Store } from '@kyros/store/store'
import { type Catalogue, deployed } from './catalogue.ts'
import type { Plant } from './plants.ts'
import { type Process, startProcess } from './process.ts'
import type { Random } from './random.ts'
import { type Life, type Scheduler, stall } from './scheduler.ts'
import type { StoreFaults } from './simulated-store.ts'
import type { WorldRecord } from './world-record.ts'

const none: StoreFaults = { refuse: 0, forget: 0, read: 0, crash: 0, stall: 0, slowestMs: 4 }
const outage: Partial<StoreFaults> = { refuse: 1, read: 1 }
const longestStopMs = 120_000

export type TroublesOptions = {
  scheduler: Scheduler
  random: Random
  inner: Store
  catalogue: Catalogue
  record: WorldRecord
  plant: Plant | undefined
}

/** The processes of a world and what befalls them, until `calm`. */
export class Troubles {
  readonly dialect: 'sqlite' | 'postgres'
  /** How far a clock was set back at most: what was due by one may not be by the other. */
  clocksGoBackMs = 0
  readonly #options: TroublesOptions
  readonly #places: (Process | undefined)[]
  readonly #inboxBells = new Set<() => void>()
  readonly #steady: StoreFaults
  /** So many of the processes are of the next version. */
  readonly #deployShare: number
  #faults: StoreFaults
  #isCalm = false
  #isClosing = false
  #lives = 0

  constructor(options: TroublesOptions) {
    const { random } = options
    this.#options = options
    this.dialect = random.chance(0.45) ? 'postgres' : 'sqlite'
    this.#places = this.dialect === 'postgres' ? [undefined, undefined] : [undefined]
    this.#deployShare = random.pick([0, 0, 0.5])
    this.#steady = {
      refuse: random.pick([0, 0, 0.01, 0.1]),
      forget: random.pick([0, 0, 0.01, 0.05]),
      read: random.pick([0, 0, 0.02, 0.1]),
      crash: random.pick([0, 0, 0.003, 0.02]),
      // Where there is one process, nobody would do anything meanwhile.
      stall: this.dialect === 'postgres' ? random.pick([0, 0.02, 0.1]) : 0,
      slowestMs: random.pick([2, 20, 20, 300]),
    }
    this.#faults = this.#steady
  }

  get processes(): readonly Process[] {
    return this.#places.filter((process) => process !== undefined)
  }

  /** Starts the processes, and plans what will happen to them. */
  begin(): void {
    const { random } = this.#options
    for (const place of this.#places.keys()) this.#start(place)
    for (let count = random.small(0, 8); count > 0; count--) this.#later('a kill', () => this.#kill())
    for (let count = random.small(0, 4); count > 0; count--) this.#later('an outage', () => this.#cutOff())
    for (let count = random.small(0, 3); count > 0; count--) this.#later('a stop', () => this.#stop())
    if (this.dialect === 'postgres')
      for (let count = random.small(0, 5); count > 0; count--) this.#later('a stall', () => this.#stall())
    if (random.chance(0.2))
      for (let count = random.int(1, 3); count > 0; count--)
        this.#later('a clock is set', () => this.#setClock())
  }

  /** Nothing bad happens from now on. */
  calm(): void {
    this.#isCalm = true
    this.#faults = none
  }

  /** Stops every process in good order. */
  async close(): Promise<void> {
    this.#isClosing = true
    const ended = this.processes.map(({ ended }) => ended)
    for (const process of this.processes) this.#stopProcess(process, 1000)
    await Promise.all(ended)
  }

  #later(what: string, happen: () => void): void {
    const { scheduler, random } = this.#options
    scheduler.after(random.int(0, 40_000), what, () => {
      if (!this.#isCalm) happen()
    })
  }

  #start(place: number): void {
    const { scheduler, random, inner, catalogue, record, plant } = this.#options
    const life: Life = { name: `p${place + 1}.${++this.#lives}`, isOver: false, stalledUntilMs: 0, skewMs: 0 }
    this.#places[place] = startProcess({
      scheduler,
      life,
      catalogue: random.chance(this.#deployShare) ? deployed(catalogue) : catalogue,
      plant,
      maxAttempts: random.int(1, 8),
      evictAfterMs: random.pick([0, 100, 2000, 60_000]),
      store: {
        inner,
        dialect: this.dialect,
        faults: () => this.#faults,
        onApplied: (written) => record.onApplied(written),
        inboxBells: this.#inboxBells,
      },
      steps: {
        scheduler,
        random: random.fork(life.name),
        runSeqOf: record.runSeqOf,
        effects: record.effects,
        onToken: (runId, token) => record.onToken(runId, token),
      },
      onBug: (message) => record.onBug(message),
      onOver: () => {
        this.#places[place] = undefined
        if (!this.#isClosing) scheduler.after(random.small(5, 4000), 'a start', () => this.#start(place))
      },
    })
  }

  #any(): Process | undefined {
    const [first, ...others] = this.processes
    return first === undefined ? undefined : this.#options.random.pick([first, ...others])
  }

  #kill(): void {
    this.#any()?.kill('out of the blue')
  }

  #cutOff(): void {
    const { scheduler, random } = this.#options
    this.#faults = { ...this.#steady, ...outage }
    scheduler.after(random.small(10, 20_000), 'an outage ends', () => {
      this.#faults = this.#isCalm ? none : this.#steady
    })
  }

  #stop(): void {
    const process = this.#any()
    if (process?.engine !== undefined) this.#stopProcess(process, this.#options.random.small(0, 5000))
  }

  #stopProcess(process: Process, graceMs: number): void {
    const { scheduler, record } = this.#options
    scheduler.note(`${process.life.name} is asked to stop`)
    process.stop(graceMs)
    scheduler.after(longestStopMs, 'patience ends', () => {
      if (process.life.isOver) return
      record.onBug(`${process.life.name} does not stop.`)
      process.kill('patience ended')
    })
  }

  #stall(): void {
    const { scheduler, random } = this.#options
    const life = this.#any()?.life
    if (life !== undefined) stall(life, scheduler.nowMs + random.small(500, 12_000))
  }

  #setClock(): void {
    const life = this.#any()?.life
    if (life === undefined) return
    const skewMs = this.#options.random.int(-8000, 8000)
    // A process that starts later has the right time again: that may be a step back as well.
    this.clocksGoBackMs = Math.max(this.clocksGoBackMs, life.skewMs - skewMs, skewMs, 0)
    life.skewMs = skewMs
  }
}
