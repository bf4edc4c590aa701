import { parentPort } from 'node:worker_threads'

/** Loads one module after the other for `createTrialLoads`, which watches from outside whether it comes back. */
parentPort?.on('message', (address: string) => {
  // What it throws is told where it is loaded in earnest.
  const over = () => parentPort?.postMessage('over')
  import(/* @vite-ignore */ address).then(over, over)
})
