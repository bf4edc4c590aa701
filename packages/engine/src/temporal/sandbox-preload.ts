// What a worker's sandbox loads once, and not for each run: it keeps nothing of a run outside of its functions.
import './run-secret.ts'

/**
 * The SDK takes a stack of every promise that a definition makes, and looks up each line of it in the source map: with the
 * usual ten lines that is the dearest part of a turn. Four say where.
 */
Error.stackTraceLimit = 4
