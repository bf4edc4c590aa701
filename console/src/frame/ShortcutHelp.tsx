import { Dialog } from '../ui/Dialog.tsx'
import { useActiveShortcuts } from './shortcuts.ts'

/** Every key that does something on this page. */
export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const shortcuts = useActiveShortcuts()
  return (
    <Dialog label="Keyboard shortcuts" className="k-help" onClose={onClose}>
      <h2 className="k-confirm__title">Keyboard shortcuts</h2>
      <dl className="k-help__list">
        {shortcuts.map(({ keys, label }) => (
          <div key={`${keys} ${label}`}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
