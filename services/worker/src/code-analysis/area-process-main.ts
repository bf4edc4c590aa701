// Started by `area-process.ts`. The main thread only watches: it ends the process as soon as the channel to the parent
// closes, however busy the analyzing thread is.
import { Worker } from 'node:worker_threads'
import type { AreaTask } from './area-process.ts'
import { siblingModule } from './sibling-module.ts'

process.once('disconnect', () => process.exit(2))
process.once('message', (message) => {
  // Sent by our own parent.
  const task = message as AreaTask
  const thread = new Worker(siblingModule(import.meta.url, 'area-thread'), {
    workerData: task,
    // Its environment is this process's, which is empty.
    // The stack is for deeply nested code; memory beyond the limit ends the thread and not the machine.
    resourceLimits: { maxOldGenerationSizeMb: task.memoryMb, stackSizeMb: 32 },
  })
  thread.once('error', () => process.exit(3))
  thread.once('exit', (code) => process.exit(code))
})
