import type { JobSubmit } from '@kyros/contract/job'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { cliCommand, curlCommand } from './commands.ts'

/** The same job for a script: what the form does, the API and the command line do too. */
export function Commands({ job }: { job: JobSubmit }) {
  return (
    <aside className="k-commands" aria-label="The same from a terminal">
      <h2>The same from a terminal</h2>
      <Command name="Command line" text={cliCommand(job)} />
      <Command name="API" text={curlCommand(location.origin, job)} />
    </aside>
  )
}

function Command({ name, text }: { name: string; text: string }) {
  return (
    <div className="k-command">
      <div className="k-command__head">
        <h3>{name}</h3>
        <CopyButton text={text} label={`Copy for ${name === 'API' ? 'curl' : 'the command line'}`} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse. */}
      <pre tabIndex={0}>{text}</pre>
    </div>
  )
}
