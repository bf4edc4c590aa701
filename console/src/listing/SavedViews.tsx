import Bookmark from '@carbon/icons-react/es/Bookmark.js'
import TrashCan from '@carbon/icons-react/es/TrashCan.js'
import { Button, TextInput } from '@carbon/react'
import type { SavedView, ViewList } from '@kyros/contract/saved-view'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { client } from '../api/client.ts'
import { viewsQuery } from '../api/queries.ts'
import { ConfirmDialog, Dialog } from '../ui/Dialog.tsx'
import { ErrorState } from '../ui/PageState.tsx'
import { toastDone, toastFailed } from '../ui/toasts.tsx'

const maxNameChars = 80

type Props = { list: ViewList; query: string; onPick: (query: string) => void }

/** Filters that this user keeps on the server under a name: pick one, save the present one, delete the one picked. */
export function SavedViews({ list, query, onPick }: Props) {
  const { data: views } = useQuery(viewsQuery(list))
  const [dialog, setDialog] = useState<'save' | 'delete' | undefined>(undefined)
  const current = views?.find((view) => view.query === query)
  const close = () => setDialog(undefined)
  // A list that nobody has filtered or saved a view of needs no row for them; any other keeps its place while they load.
  if ((views === undefined || views.length === 0) && query === '') return null
  if (views === undefined) return <div className="k-views" />
  return (
    <fieldset className="k-views">
      <legend className="k-hidden">Saved views</legend>
      {views.map((view) => (
        <button
          key={view.id}
          type="button"
          className="k-chip"
          aria-pressed={view === current}
          title={view.query === '' ? 'No filter' : view.query}
          onClick={() => onPick(view.query)}
        >
          <Bookmark size={16} aria-hidden="true" />
          {view.name}
        </button>
      ))}
      {query !== '' && current === undefined && (
        <Button kind="ghost" size="sm" renderIcon={Bookmark} onClick={() => setDialog('save')}>
          Save this view
        </Button>
      )}
      {current !== undefined && (
        <Button kind="ghost" size="sm" renderIcon={TrashCan} onClick={() => setDialog('delete')}>
          Delete this view
        </Button>
      )}
      {dialog === 'save' && <SaveDialog list={list} query={query} views={views} onClose={close} />}
      {dialog === 'delete' && current !== undefined && <DeleteDialog view={current} onClose={close} />}
    </fieldset>
  )
}

type SaveProps = { list: ViewList; query: string; views: readonly SavedView[]; onClose: () => void }

function SaveDialog({ list, query, views, onClose }: SaveProps) {
  const [name, setName] = useState('')
  const queryClient = useQueryClient()
  const save = useMutation({
    mutationFn: () => client.call('createView', { body: { list, name: name.trim(), query } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: viewsQuery(list).queryKey })
      toastDone('View saved', name.trim())
      onClose()
    },
  })
  const isTaken = views.some((view) => view.name === name.trim())
  const onSubmit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() !== '') save.mutate()
  }
  return (
    <Dialog label="Save this view" className="k-confirm" onClose={onClose}>
      <form onSubmit={onSubmit}>
        <h2 className="k-confirm__title">Save this view</h2>
        <div className="k-confirm__text">
          <p>
            The filter <code>{query}</code> is kept for you, in every browser you sign in with.
          </p>
          <TextInput
            id="view-name"
            labelText="Name"
            helperText={
              isTaken ? 'You have a view of this name; it will be replaced.' : 'Such as “Failed today”.'
            }
            maxLength={maxNameChars}
            value={name}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
          {save.error !== null && <ErrorState error={save.error} isCompact />}
        </div>
        <div className="k-confirm__actions">
          <Button kind="secondary" onClick={onClose}>
            Not now
          </Button>
          <Button type="submit" disabled={name.trim() === '' || save.isPending}>
            {isTaken ? 'Replace' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function DeleteDialog({ view, onClose }: { view: SavedView; onClose: () => void }) {
  const queryClient = useQueryClient()
  const remove = useMutation({
    mutationFn: () => client.call('deleteView', { params: { id: view.id } }),
    onError: (error) => toastFailed(`The view “${view.name}” was not deleted`, error),
    onSettled: async () => {
      await queryClient.invalidateQueries({ queryKey: viewsQuery(view.list).queryKey })
      onClose()
    },
  })
  return (
    <ConfirmDialog
      title={`Delete the view “${view.name}”?`}
      confirm="Delete the view"
      isDangerous
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate()}
    >
      Only the name and its filter go; what it lists stays.
    </ConfirmDialog>
  )
}
