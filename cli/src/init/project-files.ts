/** Text files of a new project, by their paths. */
export type ProjectFiles = ReadonlyMap<string, string>

/** What a project with workflows needs beside them. `kyrosPath` is where Kyros lies, as package.json names it. */
export function projectFiles(name: string, kyrosPath: string): ProjectFiles {
  return new Map([
    ['package.json', packageJson(name, kyrosPath)],
    [
      'tsconfig.json',
      `${JSON.stringify({ extends: 'kyros/tsconfig.json', include: ['workflows'] }, null, 2)}\n`,
    ],
    ['.gitignore', 'node_modules\n.kyros\n'],
    ['README.md', readme(name)],
  ])
}

function packageJson(name: string, kyrosPath: string): string {
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    // `exec`: a signal to npm reaches Kyros and not only the shell between them.
    scripts: {
      start: 'exec kyros up',
      dev: 'exec kyros up --dev',
      check: 'kyros workflows check',
      test: 'kyros workflows test',
      kyros: 'kyros',
    },
    devDependencies: { kyros: `file:${kyrosPath}` },
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

function readme(name: string): string {
  return `# ${name}

Workflows for Kyros. Each is a pair of files in \`workflows/\`:

- \`<name>.workflow.ts\`: what is done and in what order. It is replayed, so it touches nothing but \`context\`.
- \`<name>.steps.ts\`: how each step is done, in any Node code.

| command | does |
|---|---|
| \`npm start\` | serves them: API and console on http://127.0.0.1:8000 |
| \`npm run dev\` | the same, and takes over changes while it runs |
| \`npm test\` | runs \`workflows/*.test.ts\`; hours pass in milliseconds |
| \`npm run -s kyros -- run …\` | any command of Kyros, such as one that starts a workflow |
| \`npm run check\` | says what is wrong with the workflows, with file and line |

\`node_modules/kyros\` is a link to Kyros; \`npm install\` makes it anew.
`
}
