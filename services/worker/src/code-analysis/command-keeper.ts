// Started by `guarded-command.ts`. It owns one foreign program and its whole process group, and kills the group as
// soon as the channel to its parent closes: also when the parent was killed and could not clean up itself.
import { spawn } from 'node:child_process'

const [command = '', ...args] = process.argv.slice(2)
const child = spawn(command, args, { detached: true, stdio: ['ignore', 'inherit', 'inherit'] })

function killGroup(): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group has already ended.
  }
}

child.once('error', () => process.exit(127))
child.once('exit', (code) => {
  // What the program left behind in its group goes with it.
  killGroup()
  process.exitCode = code ?? 1
  if (process.connected) process.disconnect?.()
})
process.once('disconnect', killGroup)
