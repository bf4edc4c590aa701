/** What a check found wrong. Empty lists are what everyone wants. */
export type Findings = {
  /** Something that was acknowledged, or that a reader saw, is not there. */
  lost: string[]
  /** Something is there twice, or was done again after it was recorded as done. */
  doubled: string[]
  /** Order, times or a projection are not what the log says. */
  wrong: string[]
}

export function noFindings(): Findings {
  return { lost: [], doubled: [], wrong: [] }
}

export function addFindings(to: Findings, from: Findings): void {
  for (const kind of ['lost', 'doubled', 'wrong'] as const) to[kind].push(...from[kind])
}

export function isClean(findings: Findings): boolean {
  return findings.lost.length + findings.doubled.length + findings.wrong.length === 0
}

const maxShown = 20

/** The findings in lines for a person; the first twenty of each kind. */
export function describe(findings: Findings): string[] {
  return (['lost', 'doubled', 'wrong'] as const).flatMap((kind) => {
    const all = findings[kind]
    const shown = all.slice(0, maxShown).map((finding) => `${kind}: ${finding}`)
    return all.length > maxShown ? [...shown, `${kind}: and ${all.length - maxShown} more`] : shown
  })
}
