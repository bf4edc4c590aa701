import { AsyncLocalStorage } from 'node:async_hooks'
import type { ClientInterceptors } from '@temporalio/client'
import type { Headers } from '@temporalio/common'
import type { ActivityInterceptorsFactory } from '@temporalio/worker'

/** The header by which the trace of a request goes with its run, from the start to each attempt: W3C trace context. */
const header = 'traceparent'
const valid = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

const tracing = new AsyncLocalStorage<string>()

/** What `call` starts on the cluster belongs to this trace. */
export function traced<T>(traceparent: string | undefined, call: () => T): T {
  return traceparent === undefined ? call() : tracing.run(traceparent, call)
}

/** Of the client that starts runs. */
export const clientInterceptors: ClientInterceptors = {
  workflow: [
    {
      startWithDetails: (input, next) => {
        const traceparent = tracing.getStore()
        if (traceparent === undefined) return next(input)
        return next({ ...input, headers: { ...input.headers, [header]: payloadOf(traceparent) } })
      },
    },
  ],
}

/** Of workers: the trace is the third argument of an attempt. In between it is passed on by `run-interceptors.ts`. */
export const traceAttempts: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute: (input, next) => next({ ...input, args: [...input.args, traceIn(input.headers)] }),
  },
})

/** Undefined also for what somebody else sent, and that is no trace context. */
export function traceIn(headers: Readonly<Record<string, HeaderPayload | undefined>>): string | undefined {
  const data = headers[header]?.data
  if (!data) return undefined
  const text = Buffer.from(data).toString().replaceAll('"', '')
  return valid.test(text) ? text : undefined
}

type HeaderPayload = { data?: Uint8Array | null | undefined }

function payloadOf(traceparent: string): NonNullable<Headers[string]> {
  const encoding = Buffer.from('json/plain')
  return { metadata: { encoding }, data: Buffer.from(JSON.stringify(traceparent)) }
}
