import { fileURLToPath } from 'node:url'
import type { DataConverter, PayloadCodec } from '@temporalio/common'

export const failureConverterPath = fileURLToPath(import.meta.resolve('./failure-converter.ts'))

/** What workers give to a cluster: with `encrypts` also what errors say is a payload. Whoever has the codecs reads both. */
export function dataConverterOf(codecs: readonly PayloadCodec[], encrypts: boolean): DataConverter {
  const payloadCodecs = [...codecs]
  return encrypts ? { payloadCodecs, failureConverterPath } : { payloadCodecs }
}
