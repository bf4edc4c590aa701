import { atLeast } from '@kyros/contract/auth'
import { mayActOn } from '@kyros/contract/ownership'
import { useQuery } from '@tanstack/react-query'
import { apiKeysQuery, userQuery } from './queries.ts'

export type Rights = {
  /** Whether this person may submit jobs. */
  mayCreate: boolean
  /** Whether this person may stop, repeat or change what `owner` made. */
  mayActOn: (owner: string | undefined) => boolean
}

/** What this person may do, by the rule that the API decides by; nothing while it is not known who it is. */
export function useRights(): Rights {
  const { data: me } = useQuery(userQuery)
  const isOperator = me !== undefined && atLeast(me.role, 'operator')
  // Jobs that were submitted with a key of one's own are one's own.
  const { data: keys = [] } = useQuery({ ...apiKeysQuery, enabled: isOperator && me.role !== 'admin' })
  return {
    mayCreate: isOperator,
    mayActOn: (owner) =>
      me !== undefined && owner !== undefined && mayActOn({ userId: me.id, role: me.role }, owner, keys),
  }
}
