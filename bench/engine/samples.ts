/** What was measured, by name, one value a round. */
export class Samples {
  readonly #values = new Map<string, number[]>()

  add(name: string, value: number): void {
    const values = this.#values.get(name)
    if (values === undefined) this.#values.set(name, [value])
    else values.push(value)
  }

  of(name: string): readonly number[] {
    return this.#values.get(name) ?? []
  }

  /** Of each round, so that what slowed a whole round down cancels out. */
  ratios(above: string, below: string): number[] {
    const others = this.of(below)
    return this.of(above).map((value, round) => value / (others[round] ?? Number.NaN))
  }

  get names(): string[] {
    return [...this.#values.keys()]
  }
}

/** One quantity over another: for example µs for a start over the runs that were stored. */
export type Curve = {
  name: string
  title: string
  x: string
  y: string
  points: { x: number; y: number }[]
}
