import { Type } from 'typebox'

/** How many steps of a run one answer holds: the latest. All of them are in its events. */
export const maxStepsShown = 2_000

/** Asks for the state at a moment that has passed. */
export const AsOfQuery = {
  as_of: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description:
        'Show it as it was after the event with this number (`seq`), or at this RFC 3339 time: folded from the events up to there',
    }),
  ),
}

/** The same for lists, which look at no more than so many at a time. */
export const AsOfListQuery = {
  as_of: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 40,
      description:
        'List what there was after the event with this number (`seq`), or at this RFC 3339 time, as it stood then. A page may then hold fewer than `limit`, and go on with `next_cursor`; there is no `total`. Jobs that were deleted or archived since are not in it',
    }),
  ),
}
