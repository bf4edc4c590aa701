/** One thing that is wrong with the configuration: where it stands, what it is, what is allowed. */
export type ConfigFault = { readonly what: string; readonly next: string }

/** Stops the start. Its lines are for the user and hold no value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map((fault) => fault.what).join('\n'))
    this.faults = faults
  }
}
