import type { AreaDefinition } from './area-analyzer.ts'

export const performanceArea: AreaDefinition = { rules: {}, analyzers: () => [] }
