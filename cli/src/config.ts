import { engineConfig } from '@kyros/engine/config'
import { kernelConfig } from '@kyros/kernel/config'
import { orchestratorConfig } from '@kyros/orchestrator/config'
import { storeConfig } from '@kyros/store/config'
import { workerConfig } from '@kyros/worker/config'
import { type Static, Type } from 'typebox'

/** What only the command line reads. */
const cliConfig = Type.Object({
  console: Type.Object({
    port: Type.Integer({
      minimum: 0,
      maximum: 65_535,
      default: 3001,
      description: 'Port of the console when it is served alone with `kyros serve console`.',
    }),
  }),
  client: Type.Object({
    url: Type.Optional(
      Type.String({
        env: ['KYROS_URL'],
        pattern: '^https?://',
        format: 'an address that begins with http:// or https://',
        description: 'Server that commands talk to; else the one on this data directory.',
      }),
    ),
    token: Type.Optional(
      Type.String({
        env: ['KYROS_TOKEN'],
        minLength: 1,
        secret: true,
        description:
          'Access token or API key that commands use; else `kyros login`, else the local credential.',
      }),
    ),
  }),
})

/** Everything that can be set, workspace by workspace. */
export const configSchema = Type.Object({
  ...kernelConfig.properties,
  ...storeConfig.properties,
  ...engineConfig.properties,
  ...orchestratorConfig.properties,
  ...workerConfig.properties,
  ...cliConfig.properties,
})

export type Config = Static<typeof configSchema>
