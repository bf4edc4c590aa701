/** One entry of a repository before anybody has looked inside. */
export type ListedFile = {
  /** Bytes as latin1, see `file-path.ts`; relative to the repository. */
  readonly path: string
  readonly mode: 'file' | 'executable'
  /** Finds the content again: a blob hash, or '' for a plain directory. */
  readonly hash: string
}

/** Where code comes from: a commit in Git, or a directory outside Git. */
export type CodeSource = {
  /** Undefined when the content itself decides, see `FetchCodeOutput.commit`. */
  readonly commit: string | undefined
  readonly branch: string | undefined
  /** The folder inside the repository that the given directory stands for. */
  readonly folder: string
  list(): Promise<ListedFile[]>
  /** Undefined when the file is gone or broken. */
  size(file: ListedFile): Promise<number | undefined>
  /** Undefined when the file is gone, broken or larger than `maxBytes`. */
  read(file: ListedFile, maxBytes: number): Promise<Buffer | undefined>
  isDirty(): Promise<boolean | undefined>
  close(): Promise<void>
}
