import { Type } from 'typebox'

const port = { minimum: 0, maximum: 65_535 }

/** What every server of the platform reads: where it listens, who it trusts, what it logs. */
export const kernelConfig = Type.Object({
  environment: Type.Enum(['local', 'development', 'test', 'production'], {
    default: 'local',
    env: ['KYROS_ENV'],
    description: 'Production refuses to start without a SECRET_KEY of its own and never resets a database.',
  }),
  server: Type.Object({
    host: Type.String({
      default: '127.0.0.1',
      minLength: 1,
      description: 'Address to listen on; wider than loopback warns when there is no TLS.',
    }),
    port: Type.Integer({
      ...port,
      default: 8000,
      description: 'Port of the API and the console; 0 picks one.',
    }),
    enable_metrics: Type.Boolean({
      default: true,
      description: 'Whether Prometheus metrics have a listener of their own.',
    }),
    metrics_port: Type.Integer({
      ...port,
      default: 9090,
      env: ['KYROS_METRICS_PORT'],
      description:
        'Port of that listener, on loopback and without credentials; 0 turns it off, a taken one warns.',
    }),
    drain_ms: Type.Integer({
      minimum: 0,
      maximum: 8_000,
      default: 5_000,
      unit: 'milliseconds',
      description: 'How long requests and steps may take to end when the server stops.',
    }),
    max_body_bytes: Type.Integer({
      minimum: 1_024,
      maximum: 1_073_741_824,
      default: 1_048_576,
      unit: 'bytes',
      description: 'Largest body of a request.',
    }),
    trusted_proxies: Type.Array(Type.String(), {
      default: [],
      description: 'Addresses or networks of proxies whose X-Forwarded headers are believed.',
    }),
    tls: Type.Object({
      cert: Type.Optional(
        Type.String({
          minLength: 1,
          description:
            'Path of the certificate chain (PEM), own certificate first; with the key, https is served. Read again when it changes.',
        }),
      ),
      key: Type.Optional(
        Type.String({
          minLength: 1,
          description: 'Path of its private key (PEM, without a passphrase).',
        }),
      ),
    }),
    public_url: Type.Optional(
      Type.String({
        pattern: '^https?://[^/?#@]+/?$',
        format: 'an address such as https://kyros.example.com',
        description:
          'Address under which browsers reach the server through a proxy; with https:// cookies are secure and browsers are told to stay on https.',
      }),
    ),
  }),
  log: Type.Object({
    level: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], {
      default: 'info',
      env: ['LOG_LEVEL'],
      olderPaths: ['telemetry.log_level'],
      description: 'Least important line that is written to standard error.',
    }),
    format: Type.Enum(['auto', 'text', 'json'], {
      default: 'auto',
      description: 'Auto writes text to a terminal and in local mode, JSON lines in production.',
    }),
  }),
  debug: Type.Boolean({
    default: false,
    env: ['DEBUG'],
    shared: ['DEBUG'],
    description: 'Logs at level debug, unless a log level is set.',
  }),
  security: Type.Object({
    secret_key: Type.Optional(
      Type.String({
        env: ['SECRET_KEY'],
        minLength: 1,
        secret: true,
        description:
          'Signs tokens and protects secrets; at least 32 characters. Made and kept in the data directory when absent, required in production.',
      }),
    ),
    previous_secret_keys: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        env: ['PREVIOUS_SECRET_KEYS'],
        secret: true,
        description:
          'Keys that SECRET_KEY had before: what they signed still holds, and nothing new is signed with them. Leave out one that others may know.',
      }),
    ),
    allowed_origins: Type.Array(Type.String(), {
      default: [],
      env: ['ALLOWED_ORIGINS'],
      description: 'Other sites whose pages may call the API, such as http://localhost:3001.',
    }),
  }),
  rate_limits: Type.Object({
    enabled: Type.Boolean({ default: true, description: 'Whether clients are held to a rate.' }),
    requests_per_minute: Type.Integer({
      minimum: 1,
      default: 6_000,
      unit: 'requests per minute',
      description: 'For each client: a signed-in user or an address.',
    }),
    login_per_account: Type.Integer({
      minimum: 1,
      default: 10,
      unit: 'tries per 15 minutes',
      description:
        'Wrong passwords for each account from one address; ten times as many from all addresses together.',
    }),
    login_per_address: Type.Integer({
      minimum: 1,
      default: 30,
      unit: 'tries per 15 minutes',
      description: 'Wrong passwords from each address.',
    }),
  }),
  telemetry: Type.Object(
    {
      enabled: Type.Boolean({ default: false, description: 'Whether traces are exported.' }),
    },
    { additionalProperties: true, planned: 'OpenTelemetry export' },
  ),
})
