import { authRoutes } from './routes/auth.ts'
import { jobRoutes } from './routes/jobs.ts'
import { olderRoutes } from './routes/older.ts'
import { platformRoutes } from './routes/platform.ts'
import { runOperationRoutes } from './routes/run-operations.ts'
import { runRoutes } from './routes/runs.ts'
import { viewRoutes } from './routes/views.ts'

/** Every operation of the platform by its id. A route that is not here does not exist. */
export const api = {
  ...platformRoutes,
  ...authRoutes,
  ...jobRoutes,
  ...runRoutes,
  ...runOperationRoutes,
  ...viewRoutes,
  ...olderRoutes,
}

export type OperationId = keyof typeof api
