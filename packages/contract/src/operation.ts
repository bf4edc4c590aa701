import type { Static, TSchema } from 'typebox'
import type { api, OperationId } from './api.ts'

type Api = typeof api

type Part<K extends OperationId, P extends string> =
  Api[K] extends Record<P, infer S extends TSchema> ? Static<S> : undefined

/** What an operation takes in its path, its query and its body; `undefined` where it takes nothing. */
export type Params<K extends OperationId> = Part<K, 'params'>
export type Query<K extends OperationId> = Part<K, 'query'>
export type Body<K extends OperationId> = Part<K, 'body'>

/** What an operation answers when it succeeds; `undefined` where that is not JSON. */
export type Answer<K extends OperationId> = Api[K]['success'] extends { schema: infer S extends TSchema }
  ? Static<S>
  : undefined
