import type { AreaDefinition } from './area-analyzer.ts'
import { bundleWeight } from './bundle-weight.ts'
import { performanceRules } from './performance-rules.ts'
import { regexChecks } from './regex-checks.ts'
import { scriptPerformance } from './script-performance.ts'
import { textPerformance } from './text-performance.ts'

export const performanceArea: AreaDefinition = {
  rules: performanceRules,
  analyzers: (context) => [scriptPerformance(), regexChecks(), textPerformance(), bundleWeight(context)],
}
