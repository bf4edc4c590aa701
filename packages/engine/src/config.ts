import { Type } from 'typebox'
import { searchForm } from './temporal/search-kinds.ts'

const limitForm = '^[^=]{1,200}=[1-9][0-9]{0,5}$'
const addressForm = '^(\\[[0-9a-fA-F:.]+\\]|[^\\s/:\\[\\]]+)(:[0-9]{1,5})?$'
const elsewhere = "Temporal's Go SDK, which Kyros does not use"

const temporalTls = Type.Object({
  enabled: Type.Optional(
    Type.Boolean({
      description: 'Whether the cluster is spoken to by TLS; on when a certificate or an API key is set.',
    }),
  ),
  ca: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "Path of the certificates (PEM) that may have signed the cluster's; else those that Node trusts.",
    }),
  ),
  cert: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Path of the certificate (PEM) with which Kyros shows the cluster who it is.',
    }),
  ),
  key: Type.Optional(Type.String({ minLength: 1, description: 'Path of its private key (PEM).' })),
  server_name: Type.Optional(
    Type.String({
      minLength: 1,
      description: "Name that the cluster's certificate must have, when it is not the host's.",
    }),
  ),
})

/** Where the cluster is, and what it is asked to do. */
const temporalConfig = Type.Object({
  host_port: Type.Optional(
    Type.String({
      pattern: addressForm,
      format: 'an address such as temporal.example.com:7233',
      description:
        'Address of a Temporal cluster; with it new runs move on Temporal. Port 7233 when it has none.',
    }),
  ),
  namespace: Type.String({ default: 'default', minLength: 1, description: 'Namespace on that cluster.' }),
  task_queue: Type.String({
    default: 'orchestrator-task-queue',
    minLength: 1,
    description: 'Task queue that workers of this platform poll.',
  }),
  tls: temporalTls,
  api_key: Type.Optional(
    Type.String({
      minLength: 1,
      secret: true,
      description: 'API key of Temporal Cloud, or of a proxy that asks for one; turns TLS on.',
    }),
  ),
  encrypt_payloads: Type.Boolean({
    default: true,
    description:
      'Whether inputs, results and what errors say are encrypted before the cluster keeps them, with a key made of SECRET_KEY; every server and worker needs the same one.',
  }),
  search_attributes: Type.Array(
    Type.String({
      pattern: searchForm,
      format: 'a name and a type of keyword, int, double, bool and datetime, such as customer=keyword',
    }),
    {
      default: [],
      maxItems: 32,
      description:
        'Attributes of runs that Temporal may show and search, as `name=type` with keyword, int, double, bool or datetime: they are in the clear there, and the namespace must have them. KyrosJob, KyrosProject and KyrosPriority (keyword) are there without a definition that sets them.',
    },
  ),
  when_unavailable: Type.Enum(['reject', 'queue'], {
    default: 'reject',
    description:
      'What becomes of a new run while the cluster is away: refused with 503, or kept and started when it is back.',
  }),
  connect_timeout_ms: Type.Integer({
    minimum: 100,
    maximum: 60_000,
    default: 5_000,
    unit: 'milliseconds',
    description: 'How long the cluster may take to answer before it counts as away.',
  }),
  max_concurrent_activities: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 256,
    unit: 'steps',
    description: 'Attempts at the same time in a worker.',
  }),
  max_concurrent_workflows: Type.Integer({
    minimum: 1,
    maximum: 10_000,
    default: 40,
    unit: 'turns',
    description: 'Turns of runs that a worker moves at the same time; between turns a run takes none.',
  }),
  enable_metrics: Type.Boolean({
    default: true,
    description: 'Whether calls, turns, attempts and slots of runs on Temporal are among the metrics.',
  }),
  metrics_scope: Type.String({
    pattern: '^[a-zA-Z_][a-zA-Z0-9_]{0,63}$',
    default: 'kyros_temporal',
    description: 'What the names of these metrics begin with.',
  }),
  worker_options: Type.Object({}, { additionalProperties: true, planned: elsewhere }),
  client_options: Type.Object({}, { additionalProperties: true, planned: elsewhere }),
})

/** How runs move. */
export const engineConfig = Type.Object({
  engine: Type.Object({
    max_concurrent_steps: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 256,
      unit: 'steps',
      description:
        'Attempts at the same time of one queue of steps in this process: most steps wait for others, such as models.',
    }),
    queue_limits: Type.Array(Type.String({ pattern: limitForm }), {
      default: [],
      description:
        'Attempts at the same time of single queues of steps, as `name=number`; other queues have the limit above, and `cpu`, for steps that keep a core busy, two for each core.',
    }),
    key_limits: Type.Array(Type.String({ pattern: limitForm }), {
      default: [],
      description:
        'Attempts at the same time by concurrency key, or by what stands before its first colon, as `name=number`; others have 1.',
    }),
    leave_out: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Ids of runs that this server does not move, because their code would stop it, as an endless loop does. They are blocked, and can be cancelled.',
    }),
  }),
  workflows: Type.Object({
    dir: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'Directory with workflow definitions and steps of your own; `./workflows` when it is there.',
      }),
    ),
    watch: Type.Boolean({
      default: false,
      description: 'Load workflows of your own anew when their files change; `kyros up --dev` turns it on.',
    }),
  }),
  temporal: temporalConfig,
})
