import { join } from 'node:path'
import { readJsonFile, removeFile, writePrivateFile } from './private-file.ts'

/** How commands find the server that runs on a data directory. */
export type ServerFile = {
  url: string
  pid: number
  /** PEM, when it serves https. */
  certificate?: string
}

const fileName = 'server.json'

export function writeServerFile(dataDir: string, server: ServerFile): void {
  writePrivateFile(join(dataDir, fileName), `${JSON.stringify(server)}\n`)
}

/** Removes the file, unless another server has written its own meanwhile. */
export function removeServerFile(dataDir: string, pid: number): void {
  if (readServerFile(dataDir)?.pid === pid) removeFile(join(dataDir, fileName))
}

/** The server on this data directory; undefined when none runs (a file left by a killed one does not count). */
export function runningServer(dataDir: string): ServerFile | undefined {
  const server = readServerFile(dataDir)
  return server !== undefined && isAlive(server.pid) ? server : undefined
}

function readServerFile(dataDir: string): ServerFile | undefined {
  const content = readJsonFile(join(dataDir, fileName))
  const { url, pid, certificate } = content ?? {}
  if (typeof url !== 'string' || typeof pid !== 'number') return undefined
  return { url, pid, ...(typeof certificate === 'string' && { certificate }) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
