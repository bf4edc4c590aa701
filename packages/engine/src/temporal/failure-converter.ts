import { DefaultFailureConverter } from '@temporalio/common'

/**
 * Messages and stacks of errors as a payload, which the codecs encrypt. The SDK loads this by its path, in the sandbox too;
 * there each run has one of its own, which its adapter may open.
 */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true })
