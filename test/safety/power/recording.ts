// What record-writes.c wrote, as values.

export type Operation =
  /** `opens` says which file a number of a process stands for from now on. */
  | { kind: 'open'; handle: string; path: string; isDirectory: boolean; isEmptied: boolean }
  | { kind: 'write'; handle: string; offset: number; data: Buffer }
  | { kind: 'resize'; handle: string; size: number; onlyGrows: boolean }
  | { kind: 'sync'; handle: string }
  | { kind: 'rename'; from: string; to: string }
  | { kind: 'remove'; path: string }
  | { kind: 'make_directory'; path: string }

const headBytes = 24

/** Every operation in its order. @throws when the recording is cut off */
export function readRecording(bytes: Buffer): Operation[] {
  const operations: Operation[] = []
  for (let at = 0; at < bytes.length; ) {
    const op = String.fromCharCode(bytes.readUInt32LE(at))
    const handle = `${bytes.readInt32LE(at + 4)}:${bytes.readInt32LE(at + 8)}`
    const length = bytes.readUInt32LE(at + 12)
    const number = Number(bytes.readBigInt64LE(at + 16))
    const data = bytes.subarray(at + headBytes, at + headBytes + length)
    if (data.length < length) throw new Error('The recording is cut off')
    operations.push(toOperation(op, handle, number, data))
    at += headBytes + length
  }
  return operations
}

function toOperation(op: string, handle: string, number: number, data: Buffer): Operation {
  const path = () => data.toString('utf8')
  switch (op) {
    case 'O':
      return {
        kind: 'open',
        handle,
        path: path(),
        isDirectory: (number & 1) > 0,
        isEmptied: (number & 2) > 0,
      }
    case 'W':
      return { kind: 'write', handle, offset: number, data }
    case 'T':
      return { kind: 'resize', handle, size: number, onlyGrows: false }
    case 'G':
      return { kind: 'resize', handle, size: number, onlyGrows: true }
    case 'S':
      return { kind: 'sync', handle }
    case 'U':
      return { kind: 'remove', path: path() }
    case 'M':
      return { kind: 'make_directory', path: path() }
    case 'R': {
      const from = data.subarray(0, number - 1).toString('utf8')
      return { kind: 'rename', from, to: data.subarray(number).toString('utf8') }
    }
    default:
      throw new Error(`The recording has an operation ${op}`)
  }
}
