import Download from '@carbon/icons-react/es/Download.js'
import { Button } from '@carbon/react'
import type { Run } from '@kyros/contract/run'
import { isTerminal } from '@kyros/contract/run-status'
import { useQuery } from '@tanstack/react-query'
import { client } from '../../api/client.ts'
import { artifactsQuery } from '../../api/queries.ts'
import { formatBytes } from '../../format/quantity.ts'
import { JsonView } from '../../ui/JsonView.tsx'
import { ErrorState } from '../../ui/PageState.tsx'
import { saveBlob } from '../../ui/save-file.ts'
import { toastFailed } from '../../ui/toasts.tsx'

/** What went in, what came out, and the files it left. */
export function ValuesTab({ run }: { run: Run }) {
  return (
    <div className="k-values">
      <section>
        <h2>Input</h2>
        <JsonView value={run.input} label="the input" />
      </section>
      <section>
        <h2>Result</h2>
        {isTerminal(run.status) ? (
          <JsonView value={run.result} label="the result" />
        ) : (
          <p className="k-faint">The run has not ended yet.</p>
        )}
      </section>
      <section>
        <h2>Files</h2>
        <Files run={run} />
      </section>
    </div>
  )
}

function Files({ run }: { run: Run }) {
  const { data: files, error, refetch } = useQuery(artifactsQuery(run.id))
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} isCompact />
  if (files === undefined || files.length === 0) return <p className="k-faint">None.</p>
  return (
    <ul className="k-files">
      {files.map(({ name, bytes, media_type }) => (
        <li key={name}>
          <span className="k-cut">{name}</span>
          <span className="k-faint">{`${media_type}, ${formatBytes(bytes)}`}</span>
          <Button
            kind="ghost"
            size="sm"
            renderIcon={Download}
            onClick={() => void downloadArtifact(run.id, name)}
          >
            Download
          </Button>
        </li>
      ))}
    </ul>
  )
}

/** Saves an artifact as a file; a failure is said in a toast. */
export async function downloadArtifact(id: string, name: string): Promise<void> {
  try {
    const response = await client.download('getArtifact', { params: { id, name } })
    saveBlob(name, await response.blob())
  } catch (error) {
    toastFailed(`${name} was not downloaded`, error)
  }
}
