import Close from '@carbon/icons-react/es/Close.js'
import { IconButton } from '@carbon/react'
import type { Attempt, Run, Step } from '@kyros/contract/run'
import { Link } from '@tanstack/react-router'
import { formatClock } from '../../format/relative-time.ts'
import { JsonView } from '../../ui/JsonView.tsx'
import { StatusLabel } from '../../ui/StatusLabel.tsx'
import { DurationText, TimeText } from '../../ui/TimeText.tsx'
import { AnswerButton } from './actions/AnswerButton.tsx'
import { ForkButton } from './actions/ForkButton.tsx'

type Props = {
  step: Step
  /** The run of now, whose step it is; left out in a picture of the past, where nothing can be done. */
  run: Run | undefined
  onClose: () => void
}

/** Everything about one step: its tries with their errors, what went in and what came out. */
export function StepPanel({ step, run, onClose }: Props) {
  return (
    <aside className="k-panel" aria-label={`Step ${step.name}`}>
      <div className="k-panel__head">
        <div>
          <h2>{step.name}</h2>
          <StatusLabel status={step.status} />
        </div>
        <IconButton kind="ghost" size="sm" align="left" label="Close" onClick={onClose}>
          <Close />
        </IconButton>
      </div>
      <Kind step={step} />
      {run !== undefined && (
        <div className="k-panel__actions">
          <AnswerButton run={run} step={step} />
          <ForkButton run={run} step={step} />
        </div>
      )}
      {step.kind === 'step' && (
        <>
          <h3>Input</h3>
          <JsonView value={step.input} label="the input" />
        </>
      )}
      {step.kind !== 'timer' && (
        <>
          <h3>{step.kind === 'waitpoint' ? 'Answer' : 'Output'}</h3>
          <JsonView value={step.output} label="the output" />
        </>
      )}
    </aside>
  )
}

function Kind({ step }: { step: Step }) {
  switch (step.kind) {
    case 'timer':
      return <TimerFacts step={step} />
    case 'waitpoint':
      return <WaitpointFacts step={step} />
    case 'child':
      return <ChildFacts step={step} />
    case 'step':
      return <Attempts step={step} />
  }
}

function WaitpointFacts({ step }: { step: Step }) {
  return (
    <>
      {step.title !== undefined && <p>{step.title}</p>}
      {step.status === 'running' && (
        <p>
          Waits for an answer
          {step.fire_at !== null && (
            <>
              {', until '}
              <TimeText time={step.fire_at} />
            </>
          )}
          .
        </p>
      )}
    </>
  )
}

function ChildFacts({ step }: { step: Step }) {
  return (
    <>
      {step.child_run_id !== undefined && (
        <p>
          <Link to="/runs/$runId" params={{ runId: step.child_run_id }}>
            Open the child run
          </Link>
        </p>
      )}
      {step.error !== undefined && (
        <div className="k-attempt__error">
          <code>{step.error.code}</code>
          <p>{step.error.message}</p>
        </div>
      )}
    </>
  )
}

function TimerFacts({ step }: { step: Step }) {
  return (
    <p>
      {step.status === 'running' ? 'Goes on ' : 'Was due '}
      <TimeText time={step.fire_at} />.
    </p>
  )
}

function Attempts({ step }: { step: Step }) {
  const attempts = [...step.attempts].sort((a, b) => b.attempt - a.attempt)
  return (
    <>
      <h3>{`Tries (${attempts.length} of at most ${step.max_attempts})`}</h3>
      {attempts.length === 0 && <p className="k-faint">Not begun yet.</p>}
      <ol className="k-attempts" reversed>
        {attempts.map((attempt) => (
          <AttemptItem key={attempt.attempt} attempt={attempt} />
        ))}
      </ol>
    </>
  )
}

function AttemptItem({ attempt }: { attempt: Attempt }) {
  const { error, retry_at, earlier_starts = [] } = attempt
  return (
    <li className="k-attempt">
      <div className="k-attempt__line">
        <strong>{`Try ${attempt.attempt}`}</strong>
        <StatusLabel status={attempt.status} />
        <span className="k-attempt__time k-number">
          {formatClock(attempt.started_at, true)} · <DurationText of={attempt} />
        </span>
      </div>
      {earlier_starts.map((time) => (
        <p key={time} className="k-faint k-number">
          {`Begun at ${formatClock(time, true)}, cut off when the server stopped, started again.`}
        </p>
      ))}
      {error !== null && (
        <div className="k-attempt__error">
          <code>{error.code}</code>
          <p>{error.message}</p>
          {error.cause !== undefined && <p className="k-faint">{`Caused by: ${error.cause}`}</p>}
        </div>
      )}
      {retry_at !== null && (
        <p className="k-faint">
          Next try <TimeText time={retry_at} />
        </p>
      )}
    </li>
  )
}
