/** What the steps get from the process that composes them; they never read `process.env` themselves. */
export type AnalysisEnvironment = {
  /** Where `git` and `ssh` are looked for. */
  readonly path: string
  /** Lets `ssh` use the user's agent for private repositories. */
  readonly sshAuthSocket?: string
}

export const defaultEnvironment: AnalysisEnvironment = {
  path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin',
}
