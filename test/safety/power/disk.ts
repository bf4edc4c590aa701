import { dirname } from 'node:path'
import type { Random } from '../load/random.ts'
import type { Operation } from './recording.ts'

/** What of that which was not synced survives the loss of power. */
export type Survival =
  /** Nothing: the strictest reading of POSIX. */
  | 'synced'
  /** Sectors in any order, names up to any one. */
  | 'some'
  /** All up to a moment, the last write torn in the middle. */
  | 'torn'
  /** All: what a kill leaves. */
  | 'all'

type Change = { offset: number; data: Buffer } | { size: number; onlyGrows: boolean }

type File = {
  /** What is on the platter. */
  content: Content
  /** What the kernel still holds, oldest first, each with its place among all that was not synced. */
  pending: { at: number; change: Change }[]
}

type NameChange = { at: number; path: string; file: File | 'directory' | undefined }

const sectorBytes = 512

/** Bytes that grow; a hole reads as zeros. */
class Content {
  #bytes = Buffer.alloc(0)
  size = 0

  apply(change: Change): void {
    if ('data' in change) this.write(change.offset, change.data)
    else this.resize(change.onlyGrows ? Math.max(change.size, this.size) : change.size)
  }

  write(offset: number, data: Buffer): void {
    if (offset + data.length > this.size) this.resize(offset + data.length)
    data.copy(this.#bytes, offset)
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(size, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, this.size)
      this.#bytes = grown
    }
    // What is cut off must not come back when the file grows again.
    if (size < this.size) this.#bytes.fill(0, size, this.size)
    this.size = size
  }

  copy(): Content {
    const copied = new Content()
    copied.#bytes = Buffer.from(this.bytes())
    copied.size = this.size
    return copied
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.size)
  }
}

/**
 * A disk that keeps only what was synced: the bytes of a file by a sync of the file, names (made, renamed, removed) by a
 * sync of their directory. A write is cut into sectors, which survive one by one.
 */
export class Disk {
  readonly #root: string
  /** Names as the processes see them. */
  readonly #names = new Map<string, File | 'directory'>()
  readonly #synced = new Map<string, File | 'directory'>()
  #unsyncedNames: NameChange[] = []
  readonly #handles = new Map<string, { path: string; file: File | 'directory' }>()
  #count = 0

  /** `root` is there from the beginning, and stays. */
  constructor(root: string) {
    this.#root = root
    this.#names.set(root, 'directory')
    this.#synced.set(root, 'directory')
  }

  /** What a handle stands for, for who wants to read along. */
  pathOf(handle: string): string | undefined {
    return this.#handles.get(handle)?.path
  }

  apply(operation: Operation): void {
    this.#count += 1
    if (operation.kind === 'open') this.#open(operation)
    if (operation.kind === 'sync') this.#sync(operation.handle)
    if (operation.kind === 'make_directory') this.#name(operation.path, 'directory')
    if (operation.kind === 'remove') this.#name(operation.path, undefined)
    if (operation.kind === 'write') {
      this.#change(operation.handle, { offset: operation.offset, data: operation.data })
    }
    if (operation.kind === 'resize') {
      this.#change(operation.handle, { size: operation.size, onlyGrows: operation.onlyGrows })
    }
    if (operation.kind === 'rename') {
      this.#name(operation.to, this.#names.get(operation.from))
      this.#name(operation.from, undefined)
    }
  }

  #open({ handle, path, isDirectory, isEmptied }: Extract<Operation, { kind: 'open' }>): void {
    let file = this.#names.get(path)
    if (file === undefined) {
      file = isDirectory ? 'directory' : { content: new Content(), pending: [] }
      this.#name(path, file)
    }
    this.#handles.set(handle, { path, file })
    if (isEmptied) this.#change(handle, { size: 0, onlyGrows: false })
  }

  #name(path: string, file: File | 'directory' | undefined): void {
    if (file === undefined) this.#names.delete(path)
    else this.#names.set(path, file)
    this.#unsyncedNames.push({ at: this.#count, path, file })
  }

  #change(handle: string, change: Change): void {
    const file = this.#handles.get(handle)?.file
    if (file === undefined || file === 'directory') throw new Error(`${handle} is no file`)
    file.pending.push({ at: this.#count, change })
  }

  #sync(handle: string): void {
    const opened = this.#handles.get(handle)
    if (opened === undefined) throw new Error(`${handle} was not opened`)
    if (opened.file !== 'directory') {
      for (const { change } of opened.file.pending) opened.file.content.apply(change)
      opened.file.pending = []
      return
    }
    const [own, others] = [[] as NameChange[], [] as NameChange[]]
    for (const change of this.#unsyncedNames)
      (dirname(change.path) === opened.path ? own : others).push(change)
    for (const { path, file } of own) setName(this.#synced, path, file)
    this.#unsyncedNames = others
  }

  /** Directories and files that are there after the power came back, parents first; paths relative to the root. */
  survivors(survival: Survival, random: Random): { path: string; data: Buffer | undefined }[] {
    const names = new Map(this.#synced)
    // `torn` cuts everything at one moment; `some` lets names survive in their order, as journals keep them.
    const oldest = this.#oldestUnsynced()
    const cut = survival === 'all' ? Infinity : random.integer(oldest, this.#count + 2)
    if (survival !== 'synced') {
      for (const { at, path, file } of this.#unsyncedNames) if (at < cut) setName(names, path, file)
    }
    return [...names.keys()].sort().flatMap((path) => {
      const file = names.get(path)
      if (file === undefined || path === this.#root || !this.#isReachable(path, names)) return []
      const data = file === 'directory' ? undefined : surviving(file, survival, cut, random)
      return [{ path: path.slice(this.#root.length + 1), data }]
    })
  }

  #isReachable(path: string, names: ReadonlyMap<string, unknown>): boolean {
    for (let at = dirname(path); at !== this.#root; at = dirname(at)) if (!names.has(at)) return false
    return true
  }

  #oldestUnsynced(): number {
    const files = [...this.#names.values()].filter((file) => file !== 'directory')
    const ages = files.flatMap(({ pending }) => pending.slice(0, 1).map(({ at }) => at))
    return Math.min(this.#count, ...ages, ...this.#unsyncedNames.slice(0, 1).map(({ at }) => at))
  }
}

function setName(
  names: Map<string, File | 'directory'>,
  path: string,
  file: File | 'directory' | undefined,
): void {
  if (file === undefined) names.delete(path)
  else names.set(path, file)
}

function surviving(file: File, survival: Survival, cut: number, random: Random): Buffer {
  if (survival === 'synced' || file.pending.length === 0) return file.content.bytes()
  const content = file.content.copy()
  for (const { at, change } of file.pending) {
    if (survival === 'some') applySome(content, change, random)
    else if (at < cut) content.apply(change)
    else if (at === cut && 'data' in change) {
      const length = random.integer(0, change.data.length + 1)
      content.write(change.offset, change.data.subarray(0, length))
    }
  }
  return content.bytes()
}

function applySome(content: Content, change: Change, random: Random): void {
  if (!('data' in change)) {
    if (random.chance(0.5)) content.apply(change)
    return
  }
  const end = change.offset + change.data.length
  for (let from = change.offset; from < end; ) {
    const to = Math.min(end, from - (from % sectorBytes) + sectorBytes)
    if (random.chance(0.5))
      content.write(from, change.data.subarray(from - change.offset, to - change.offset))
    from = to
  }
}
