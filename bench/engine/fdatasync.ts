import { closeSync, fdatasyncSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

const blockBytes = 4096
const blocks = 256

/** How long the device takes to make 4 KB durable, in a file whose blocks exist: the floor under every commit. */
export class DeviceProbe {
  readonly #path: string
  readonly #file: number
  #next = 0

  constructor(directory: string) {
    this.#path = join(directory, 'fdatasync.probe')
    this.#file = openSync(this.#path, 'w')
    writeSync(this.#file, Buffer.alloc(blockBytes * blocks, 1))
    fsyncSync(this.#file)
  }

  /** One overwrite and its fdatasync after the other; µs each. */
  measureUs(times: number): number[] {
    const block = Buffer.alloc(blockBytes, 2)
    return Array.from({ length: times }, () => {
      const startMs = performance.now()
      writeSync(this.#file, block, 0, blockBytes, (this.#next++ % blocks) * blockBytes)
      fdatasyncSync(this.#file)
      return (performance.now() - startMs) * 1000
    })
  }

  close(): void {
    closeSync(this.#file)
    rmSync(this.#path, { force: true })
  }
}
