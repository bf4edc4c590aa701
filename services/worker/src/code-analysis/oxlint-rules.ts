import type { AnalysisSeverity } from '@kyros/contract/analysis-report'

/** Rules that are matters of taste, or that another check here covers better. */
const off = [
  'no-eval',
  'no-control-regex',
  'no-useless-escape',
  'no-unused-expressions',
  'no-await-in-loop',
  'no-new',
  'no-extraneous-class',
  'no-this-alias',
  'no-shadow',
  'no-underscore-dangle',
  'consistent-function-scoping',
  'consistent-return',
  'require-post-message-target-origin',
  'no-array-sort',
  'no-array-reverse',
  'no-useless-spread',
  'no-useless-fallback-in-spread',
  'prefer-add-event-listener',
  'no-useless-constructor',
  'no-unnecessary-parameter-property-assignment',
  'no-named-as-default',
  'no-named-as-default-member',
  'no-unassigned-import',
  'always-return',
  'no-thenable',
  'no-callback-in-promise',
  'no-promise-in-callback',
  'no-nesting',
  'no-multiple-resolved',
  'no-new-array',
  'prefer-string-starts-ends-with',
  'no-irregular-whitespace',
  'no-map-spread',
  'block-scoped-var',
  'no-useless-concat',
  'no-empty-file',
  'no-instanceof-builtins',
  'require-module-specifiers',
  'no-commented-out-tests',
  'preserve-caught-error',
  'no-confusing-non-null-assertion',
  'triple-slash-reference',
  'no-unneeded-ternary',
  'no-extra-boolean-cast',
  'catch-or-return',
  'prefer-set-size',
  'no-unsafe-type-assertion',
  'no-unmodified-loop-condition',
]

export const oxlintConfiguration = {
  plugins: ['typescript', 'unicorn', 'oxc', 'promise'],
  categories: { correctness: 'error', suspicious: 'error' },
  env: { builtin: true, browser: true, node: true, es2026: true },
  rules: {
    ...Object.fromEntries(off.map((rule) => [rule, 'off'])),
    'no-unused-vars': [
      'error',
      { args: 'none', caughtErrors: 'none', ignoreRestSiblings: true, varsIgnorePattern: '^(_|React$)' },
    ],
  },
}

const lowRules = new Set([
  'no-unused-vars',
  'no-useless-catch',
  'no-useless-rename',
  'no-unused-labels',
  'no-empty-pattern',
  'no-useless-length-check',
  'no-useless-undefined',
  'no-single-promise-in-promise-methods',
  'no-unnecessary-await',
  'prefer-array-some',
  'prefer-array-find',
  'no-extra-bind',
  'no-unexpected-multiline',
  'no-accessor-recursion',
  'no-caller',
  'getter-return',
  'no-wrapper-object-types',
  'no-this-before-super-class',
  'prefer-namespace-keyword',
  'prefer-as-const',
  'no-new-wrappers',
  'no-new-func',
])

const highRules = new Set([
  'no-const-assign',
  'no-dupe-keys',
  'no-dupe-class-members',
  'no-duplicate-case',
  'no-dupe-else-if',
  'use-isnan',
  'valid-typeof',
  'no-unsafe-finally',
  'no-this-before-super',
  'constructor-super',
  'no-obj-calls',
  'no-import-assign',
  'no-unsafe-optional-chaining',
  'no-compare-neg-zero',
])

/** How much a rule of oxlint weighs here; undefined when the rule is not ours to report. */
export function oxlintSeverity(rule: string): AnalysisSeverity | undefined {
  const name = rule.split('/').at(-1) ?? rule
  if (off.includes(name)) return undefined
  if (highRules.has(name)) return 'high'
  return lowRules.has(name) ? 'low' : 'medium'
}
