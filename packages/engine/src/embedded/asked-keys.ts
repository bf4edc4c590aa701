/** The keys of the steps and children of one part of a run: also what foreign systems know them by. */
export class AskedKeys {
  #uses: Map<string, number> | undefined

  /**
   * Its name or the given key, with `#n` from the second use on, and with the part of the run from the second part on.
   * @throws when a given key is used twice
   */
  next(kind: 'step' | 'child', name: string, given: string | undefined, part: number): string {
    this.#uses ??= new Map()
    const own = given ?? name
    const uses = (this.#uses.get(own) ?? 0) + 1
    this.#uses.set(own, uses)
    if (given !== undefined && uses > 1)
      throw new Error(`The ${kind} key ${given} is used twice in this run.`)
    const key = uses === 1 ? own : `${own}#${uses}`
    return part === 0 ? key : `${key}~${part}`
  }
}
