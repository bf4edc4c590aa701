import { Type } from 'typebox'

/** What steps may touch. */
export const workerConfig = Type.Object({
  analysis: Type.Object({
    allowed_roots: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Directories whose repositories anyone may analyse; admins and the local command line may analyse any.',
    }),
    advisory_file: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'File of known vulnerabilities in OSV JSON (one array, or one advisory per line); lockfiles are compared with it offline.',
      }),
    ),
  }),
})
