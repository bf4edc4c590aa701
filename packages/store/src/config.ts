import { Type } from 'typebox'

/** Where things are kept. */
export const storeConfig = Type.Object({
  data_dir: Type.String({
    default: '.kyros',
    minLength: 1,
    description:
      'Directory of the database, blobs, keys and work files; `:memory:` keeps nothing. One process per directory.',
  }),
  database: Type.Object({
    url: Type.Optional(
      Type.String({
        env: ['DATABASE_URL'],
        secret: 'url',
        pattern: '^postgres(ql)?(\\+[a-z0-9]+)?://',
        format: 'an address that begins with postgres:// or postgresql:// (leave it out for SQLite)',
        description: 'PostgreSQL; without it an SQLite database in the data directory.',
      }),
    ),
    max_open_conns: Type.Integer({
      minimum: 2,
      maximum: 1_000,
      default: 10,
      unit: 'connections',
      description: 'Largest number of connections to PostgreSQL.',
    }),
    max_idle_conns: Type.Integer({
      minimum: 0,
      default: 5,
      unit: 'connections',
      planned: 'tuning of the connection pool',
      description: 'Connections to PostgreSQL that stay open while idle.',
    }),
    log_queries: Type.Boolean({
      default: false,
      env: ['DEBUG_SQL'],
      planned: 'the query log',
      description: 'Logs every query with its duration.',
    }),
  }),
})
