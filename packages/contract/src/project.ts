import { type Static, Type } from 'typebox'
import { Id } from './id.ts'

export const Project = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: Type.String(),
    type: Type.String(),
    status: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'Project' },
)
export type Project = Static<typeof Project>
