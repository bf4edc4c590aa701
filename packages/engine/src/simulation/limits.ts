/** How many runs of a simulated workflow may be under way at once, and what becomes of one more. */
export const limits = {
  queued: { limit: 2, onConflict: 'queue' },
  refuser: { limit: 1, onConflict: 'reject' },
  replacer: { limit: 1, onConflict: 'cancel_oldest' },
  keeper: { limit: 1, onConflict: 'cancel_newest' },
} as const

export type OnConflict = (typeof limits)[keyof typeof limits]['onConflict']

/** Those of a workflow, where it has any. */
export function limitsOf(workflow: unknown): { limit: number; onConflict: OnConflict } | undefined {
  return Object.entries(limits).find(([name]) => name === workflow)?.[1]
}
