// Makes docs/configuration.md and .env.example from the schemas: npm run config-docs
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configSchema } from '@kyros/cli/config'
import { configTables, envExample } from '@kyros/kernel/config/config-docs'
import { settingsOf } from '@kyros/kernel/config/setting'

const root = fileURLToPath(new URL('..', import.meta.url))

const introduction = `# Configuration

<!-- Made from the schemas by tools/config-docs.ts; a test holds that it is current. -->

Kyros starts without any configuration. What you set comes from these places, the later ones first:

1. flags of the command (\`--port\`, \`--host\`, \`--data\`, \`--database-url\`, \`--url\`)
2. the environment: every key has the name \`KYROS_<PATH>\` (\`server.port\` → \`KYROS_SERVER_PORT\`), and
   \`ORCHESTRATOR_<PATH>\` is accepted as its alias; some have a short name besides
3. \`.env\` in the working directory
4. \`kyros.yaml\` in the working directory, or \`config.yaml\`, or the file named by \`--config\`
5. the defaults below

\`kyros config\` prints what is in force and where each value came from, secrets hidden. An unknown key or a wrong
value stops the start with the file, the line and what is allowed. Booleans may be written \`true\`, \`1\`, \`yes\`, \`on\`
and their opposites in any case, levels in any case (\`INFO\`, \`WARNING\`), lists in the environment with commas.
A variable that is set to nothing counts as not set.

\`\`\`yaml
# kyros.yaml
server:
  port: 8080
  host: 0.0.0.0
database:
  url: postgres://kyros@localhost:5432/kyros
log:
  level: debug
\`\`\`

`

/** The generated files by path, relative to the repository. */
export function configFiles(): Record<string, string> {
  const settings = settingsOf(configSchema)
  return {
    'docs/configuration.md': introduction + configTables(settings),
    '.env.example': envExample(settings),
  }
}

/** The paths of generated files that are not what the schemas say. */
export function staleConfigFiles(): string[] {
  return Object.entries(configFiles())
    .filter(([path, text]) => readIfThere(join(root, path)) !== text)
    .map(([path]) => path)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(configFiles())) writeFileSync(join(root, path), text)
}
