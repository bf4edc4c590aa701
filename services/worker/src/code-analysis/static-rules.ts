import type { RuleBook } from './finding.ts'

export const staticRules = {
  'static/parse-error': {
    severity: 'high',
    title: 'The file does not parse',
    hint: 'Correct the syntax. If the file is meant to be broken (a fixture), move it into a folder named fixtures.',
  },
  'static/invalid-json': {
    severity: 'medium',
    title: 'The file is not valid JSON',
    hint: 'Correct the syntax at the place named, or rename the file to .jsonc or .json5 if comments are intended.',
  },
  'static/merge-conflict': {
    severity: 'high',
    title: 'An unresolved merge conflict',
    hint: 'Choose one side, remove the three marker lines and commit again.',
  },
  'static/complex-function': {
    severity: 'low',
    title: 'A function with many paths',
    hint: 'Return early, move the branches that belong together into functions of their own, or replace a chain of conditions by a table.',
  },
  'static/long-function': {
    severity: 'low',
    title: 'A long function',
    hint: 'Split it where a comment or blank line already separates two thoughts.',
  },
  'static/deep-nesting': {
    severity: 'low',
    title: 'Deeply nested code',
    hint: 'Turn conditions around and return early, or move the inner blocks into a function.',
  },
  'static/long-file': {
    severity: 'low',
    title: 'A long file',
    hint: 'Move what belongs together into files of its own, named by what it does.',
  },
  'static/duplicate-code': {
    severity: 'low',
    title: 'Code that occurs twice',
    hint: 'Move the shared part into one function, unless the two places change for different reasons.',
  },
  'static/unused-export': {
    severity: 'low',
    title: 'An export that nothing imports',
    hint: 'Remove the export, or the code as well if nothing in its own file uses it.',
  },
  'static/unused-dependency': {
    severity: 'low',
    title: 'A dependency that nothing imports',
    hint: 'Remove it from package.json, or move it to devDependencies if only tools need it.',
  },
  'static/unlisted-dependency': {
    severity: 'medium',
    title: 'An import of a package that is not listed',
    hint: 'Add the package to package.json. Today it works only because another package happens to install it.',
  },
  'static/missing-file': {
    severity: 'high',
    title: 'An import of a file that is not there',
    hint: 'Correct the path (case matters), or commit the missing file.',
  },
  'static/todo': {
    severity: 'info',
    title: 'A note of work left to do',
    hint: 'Do it, or open an issue and name its number in the note.',
  },
  'static/type-error': {
    severity: 'medium',
    title: 'A type error',
    hint: 'Correct the types; run tsc in the project to see it in context.',
  },
} as const satisfies RuleBook
