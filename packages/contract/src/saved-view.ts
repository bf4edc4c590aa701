import { type Static, Type } from 'typebox'
import { Id } from './id.ts'

export const viewLists = ['jobs', 'runs'] as const
export const ViewList = Type.Enum(viewLists)
export type ViewList = (typeof viewLists)[number]

/** A user keeps no more views than this, over all lists. */
export const maxViewsPerUser = 50

const name = Type.String({ minLength: 1, maxLength: 80, pattern: '\\S' })
const query = Type.String({ maxLength: 500, description: 'The filter as the console writes it' })

/** POST /api/v1/views. A view of that name on that list is replaced. */
export const SavedViewCreate = Type.Object(
  { list: ViewList, name, query },
  { $id: 'SavedViewCreate', additionalProperties: false },
)
export type SavedViewCreate = Static<typeof SavedViewCreate>

export const SavedView = Type.Object(
  { id: Id, list: ViewList, name, query, created_at: Type.String({ format: 'date-time' }) },
  { $id: 'SavedView' },
)
export type SavedView = Static<typeof SavedView>
