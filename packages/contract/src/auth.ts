import { type Static, Type } from 'typebox'
import { Id } from './id.ts'

/** From least to most; each may do all that the ones before it may. */
export const roles = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]
export const RoleSchema = Type.Enum(roles)

export function atLeast(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed)
}

const Email = Type.String({ minLength: 3, maxLength: 254, pattern: '^[^\\s@]+@[^\\s@]+$' })
const Password = Type.String({ minLength: 8, maxLength: 1024 })

export const Login = Type.Object({
  username: Type.String({ minLength: 1, maxLength: 254, description: 'The e-mail address' }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
})
export type Login = Static<typeof Login>

export const Tokens = Type.Object(
  {
    access_token: Type.String(),
    token_type: Type.Literal('bearer'),
    expires_in: Type.Integer({ description: 'Seconds' }),
    refresh_token: Type.String(),
  },
  { $id: 'Tokens' },
)
export type Tokens = Static<typeof Tokens>

export const Refresh = Type.Object({ refresh_token: Type.Optional(Type.String({ maxLength: 1024 })) })
export type Refresh = Static<typeof Refresh>

export const User = Type.Object(
  {
    id: Id,
    email: Type.String(),
    username: Type.String({ description: 'The same as `email`' }),
    role: RoleSchema,
    active: Type.Boolean(),
    created_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'User' },
)
export type User = Static<typeof User>

export const UserCreate = Type.Object(
  { email: Email, password: Password, role: RoleSchema },
  { $id: 'UserCreate', additionalProperties: false },
)
export type UserCreate = Static<typeof UserCreate>

const nullableTime = Type.Union([Type.String({ format: 'date-time' }), Type.Null()])

export const ApiKey = Type.Object(
  {
    id: Id,
    name: Type.String(),
    prefix: Type.String({ description: 'The first characters, to tell keys apart' }),
    role: RoleSchema,
    user_id: Id,
    created_at: Type.String({ format: 'date-time' }),
    expires_at: nullableTime,
    last_used_at: nullableTime,
  },
  { $id: 'ApiKey' },
)
export type ApiKey = Static<typeof ApiKey>

export const ApiKeyCreate = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    role: Type.Optional(RoleSchema),
    expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false },
)
export type ApiKeyCreate = Static<typeof ApiKeyCreate>

export const ApiKeyCreated = Type.Object({
  api_key: ApiKey,
  key: Type.String({ description: 'Shown only now' }),
})
export type ApiKeyCreated = Static<typeof ApiKeyCreated>

export const Session = Type.Object(
  {
    id: Id,
    user_id: Id,
    client: Type.String({ description: 'User agent at sign-in, cut to 200 characters' }),
    address: Type.String(),
    created_at: Type.String({ format: 'date-time' }),
    last_used_at: Type.String({ format: 'date-time' }),
    expires_at: Type.String({ format: 'date-time' }),
    current: Type.Boolean(),
  },
  { $id: 'Session' },
)
export type Session = Static<typeof Session>
