import type { AreaDefinition } from './area-analyzer.ts'
import { duplicateCode } from './duplicate-code.ts'
import { functionComplexity } from './function-complexity.ts'
import { moduleChecks } from './module-checks.ts'
import { parseErrors } from './parse-errors.ts'
import { staticRules } from './static-rules.ts'
import { textChecks } from './text-checks.ts'

export const staticArea: AreaDefinition = {
  rules: staticRules,
  analyzers: (context) => [
    parseErrors(context.skip),
    textChecks(),
    functionComplexity(),
    duplicateCode(context.skip),
    moduleChecks(context),
  ],
}
