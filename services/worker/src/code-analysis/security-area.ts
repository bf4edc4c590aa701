import type { AreaDefinition } from './area-analyzer.ts'

export const securityArea: AreaDefinition = { rules: {}, analyzers: () => [] }
