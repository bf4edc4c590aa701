import { testDatabase } from './suite/database.suite.ts'
import { createDatabase, dropDatabase } from './suite/postgres-database.ts'

testDatabase({
  name: 'a PostgreSQL database',
  create: async () => ({ dataDir: ':memory:', databaseUrl: await createDatabase() }),
  remove: ({ databaseUrl }) => dropDatabase(databaseUrl ?? ''),
})
