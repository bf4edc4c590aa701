/**
 * Bits that say how the engine behaved when a run was created; replay honours them for ever. A change that makes
 * workflow code continue in another order takes the next bit. None is in use yet.
 */
export const engineFlags = 0

/** Version of the interface that definitions are written against, kept in `run.created`. */
export const sdkVersion = '1'
