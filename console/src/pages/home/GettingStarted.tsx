import Checkmark from '@carbon/icons-react/es/CheckmarkFilled.js'
import RadioButton from '@carbon/icons-react/es/RadioButton.js'
import type { Stats } from '@kyros/contract/platform'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { fewRunsQuery } from '../../api/queries.ts'
import { useRights } from '../../api/useRights.ts'
import { CopyButton } from '../../ui/CopyButton.tsx'

const doneKey = 'kyros.getting_started.done'
const cliCommand = 'npm run -s kyros -- jobs list'

/** The first steps, until they are taken or waved away. */
export function GettingStarted({ stats }: { stats: Stats | undefined }) {
  const { mayCreate } = useRights()
  const [isDone, setDone] = useState(() => localStorage.getItem(doneKey) !== null)
  const { data } = useQuery({ ...fewRunsQuery({ status: 'completed' }, 1), enabled: !isDone })
  const first = data?.workflows[0]
  const hasRun = Object.values(stats?.runs ?? {}).some((count) => count > 0)
  const finish = () => {
    localStorage.setItem(doneKey, new Date().toISOString())
    setDone(true)
  }
  if (isDone || !mayCreate || stats === undefined || data === undefined) return null
  return (
    <section className="k-start" aria-label="Getting started">
      <div className="k-tile__head">
        <h2>Getting started</h2>
        <button type="button" className="k-link k-start__hide" onClick={finish}>
          Do not show this again
        </button>
      </div>
      <ol>
        <Item isDone>Sign in</Item>
        <Item isDone={hasRun}>
          <Link to="/jobs/new">Analyse a repository of yours</Link>
        </Item>
        <Item isDone={false}>
          {first === undefined ? 'Read what it found' : <ReadReport runId={first.id} onRead={finish} />}
        </Item>
        <Item isDone={false}>
          The same in the terminal: <code>{cliCommand}</code>{' '}
          <CopyButton text={cliCommand} label="Copy the command" />
        </Item>
      </ol>
    </section>
  )
}

function ReadReport({ runId, onRead }: { runId: string; onRead: () => void }) {
  const navigate = useNavigate()
  const open = () => {
    onRead()
    void navigate({ to: '/runs/$runId', params: { runId } })
  }
  return (
    <button type="button" className="k-link" onClick={open}>
      Read what it found
    </button>
  )
}

function Item({ isDone, children }: { isDone: boolean; children: ReactNode }) {
  const Icon = isDone ? Checkmark : RadioButton
  return (
    <li className={isDone ? 'k-start__item k-start__item--done' : 'k-start__item'}>
      <Icon aria-label={isDone ? 'Done' : 'To do'} />
      <span className="k-start__text">{children}</span>
    </li>
  )
}
