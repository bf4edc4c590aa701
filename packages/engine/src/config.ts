import { Type } from 'typebox'

const limitForm = '^[^=]{1,200}=[1-9][0-9]{0,5}$'

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
  temporal: Type.Object(
    {
      host_port: Type.Optional(Type.String({ minLength: 1, description: 'Address of a Temporal cluster.' })),
      namespace: Type.String({ default: 'default', minLength: 1, description: 'Namespace on that cluster.' }),
      task_queue: Type.String({
        default: 'orchestrator-task-queue',
        minLength: 1,
        description: 'Task queue that workers of this platform poll.',
      }),
    },
    { additionalProperties: true, planned: 'the Temporal engine' },
  ),
})
