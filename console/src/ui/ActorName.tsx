import { useQuery } from '@tanstack/react-query'
import { userQuery, usersQuery } from '../api/queries.ts'

/** Who did something, by name where this person may know it; the log itself holds ids, which never change. */
export function ActorName({ actor }: { actor: string }) {
  const { data: me } = useQuery(userQuery)
  const { data: users } = useQuery({ ...usersQuery, enabled: me?.role === 'admin' })
  const id = actor.startsWith('user:') ? actor.slice('user:'.length) : undefined
  const name = id === undefined ? actor : id === me?.id ? 'you' : users?.find((user) => user.id === id)?.email
  return (
    <span className="k-cut" title={actor}>
      {name ?? `user …${actor.slice(-8)}`}
    </span>
  )
}
