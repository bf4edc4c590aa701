import { type SpawnOptions, spawn } from 'node:child_process'
import { connect } from 'node:net'
import type { Config } from '../config.ts'

/** What one check found. `mend` is the command or change that makes it right. */
export type Finding = { name: string } & (
  | { status: 'ok'; detail: string }
  | { status: 'warning' | 'fault'; detail: string; mend: string }
)

export type Machine = {
  config: Config
  /** Where the command was called. */
  directory: string
  /** Absolute path of the data directory; undefined when everything is kept in memory. */
  dataDir: string | undefined
  /** Address of the server that runs on that directory. */
  serverUrl: string | undefined
}

export type Check = (machine: Machine) => Promise<Finding[]>

const commandTimeoutMs = 5_000
const connectTimeoutMs = 3_000
const maxOutputLength = 65_536

/** Runs a program to its end; undefined when it is not there, fails or takes too long. */
export function outputOf(command: string, words: readonly string[]): Promise<string | undefined> {
  const options: SpawnOptions = { stdio: ['ignore', 'pipe', 'ignore'], timeout: commandTimeoutMs }
  const child = spawn(command, words, options)
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < maxOutputLength) output += text
  })
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    child.once('close', (code) => resolve(code === 0 ? output.trim() : undefined))
  })
}

/** Why nothing answers at this address; undefined when something does. */
export function connectFault(host: string, port: number): Promise<string | undefined> {
  const socket = connect({ host, port, timeout: connectTimeoutMs })
  return new Promise((resolve) => {
    const end = (fault: string | undefined) => {
      socket.destroy()
      resolve(fault)
    }
    socket.once('connect', () => end(undefined))
    socket.once('timeout', () => end(`no answer within ${connectTimeoutMs / 1000} s`))
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  })
}
