/** Other systems name their driver in the address (`postgresql+asyncpg://`); ours is always the same. */
export function plainScheme(url: string): string {
  return url.replace(/^postgres(?:ql)?(?:\+[a-z0-9]+)?:/, 'postgres:')
}
