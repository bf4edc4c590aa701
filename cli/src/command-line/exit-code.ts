/** What a command's end means to a script. */
export const exitCode = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  notFound: 3,
  notAllowed: 4,
  unreachable: 5,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]
