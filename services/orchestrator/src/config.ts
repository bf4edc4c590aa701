import { Type } from 'typebox'

/** How people and programs sign in, and where the other services are. */
export const orchestratorConfig = Type.Object({
  auth: Type.Object({
    admin_email: Type.Optional(
      Type.String({
        env: ['KYROS_ADMIN_EMAIL'],
        pattern: '^[^\\s@]+@[^\\s@]+$',
        format: 'an e-mail address',
        description: 'First admin, made while there is no admin; admin@localhost when absent.',
      }),
    ),
    admin_password: Type.Optional(
      Type.String({
        env: ['KYROS_ADMIN_PASSWORD'],
        minLength: 8,
        format: 'a text of at least 8 characters',
        secret: true,
        description: 'Password of the first admin; generated and printed once when absent.',
      }),
    ),
    access_token_minutes: Type.Integer({
      minimum: 1,
      maximum: 1_440,
      default: 30,
      unit: 'minutes',
      description: 'How long an access token is good.',
    }),
    refresh_token_days: Type.Integer({
      minimum: 1,
      maximum: 365,
      default: 30,
      unit: 'days',
      description: 'How long a session lives without use.',
    }),
    refresh_grace_seconds: Type.Integer({
      minimum: 0,
      maximum: 300,
      default: 30,
      unit: 'seconds',
      description: 'How long a refresh token that was just used still works, for tabs that raced.',
    }),
  }),
  retention: Type.Object({
    days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 36_500,
        unit: 'days',
        description:
          'How long jobs are kept after they ended, with their runs, logs, artifacts and events; for ever when absent.',
      }),
    ),
    archive: Type.Boolean({
      default: true,
      description: 'Whether jobs are archived before they are removed.',
    }),
    archive_dir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Where archives of removed jobs are written; `archive` in the data directory when absent.',
      }),
    ),
    every_minutes: Type.Integer({
      minimum: 1,
      maximum: 44_640,
      default: 60,
      unit: 'minutes',
      description: 'How often old jobs are looked for.',
    }),
  }),
  docs: Type.Object({
    enabled: Type.Optional(
      Type.Boolean({
        description: 'Whether /docs and /openapi.json are served; on, except in production.',
      }),
    ),
  }),
  redis: Type.Object(
    {
      url: Type.Optional(
        Type.String({
          env: ['REDIS_URL'],
          secret: 'url',
          pattern: '^rediss?://',
          format: 'an address that begins with redis:// or rediss://',
          description: 'Redis, for rate limits and caches over several processes.',
        }),
      ),
      addr: Type.Optional(Type.String({ minLength: 1, description: 'Host and port of Redis.' })),
      password: Type.Optional(Type.String({ secret: true, description: 'Password of Redis.' })),
      db: Type.Integer({ minimum: 0, default: 0, description: 'Number of the database in Redis.' }),
    },
    { additionalProperties: true, planned: 'Redis for several processes' },
  ),
  services: Type.Object(
    {
      orchestrator: Type.Object({
        url: Type.String({
          default: 'http://127.0.0.1:8000',
          pattern: '^https?://',
          format: 'an address that begins with http:// or https://',
          planned: '',
          description: 'Where `kyros serve console` passes API calls on to.',
        }),
      }),
    },
    { additionalProperties: true, planned: 'services in processes of their own' },
  ),
  gateway: Type.Object({
    services: Type.Object({}, { additionalProperties: true, planned: 'the gateway' }),
  }),
  intent_api: Type.Object(
    {
      address: Type.Optional(
        Type.String({ minLength: 1, description: 'Address of an intent service (gRPC).' }),
      ),
    },
    { additionalProperties: true, planned: 'intent processing' },
  ),
  agent_manager: Type.Object(
    {
      base_url: Type.Optional(Type.String({ minLength: 1, description: 'Address of an agent manager.' })),
    },
    { additionalProperties: true, planned: 'agents' },
  ),
  feature_flags: Type.Object({}, { additionalProperties: true, planned: 'feature flags' }),
})
