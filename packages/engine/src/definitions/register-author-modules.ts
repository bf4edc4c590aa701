// For `node --import`: lets tests of workflows import `kyros/…` in a directory that knows nothing of Kyros.
import { resolveForAuthors } from './author-modules.ts'

resolveForAuthors()
