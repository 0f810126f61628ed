// All times are in ms.

/** How long a read after a join waits for those of other runs. */
export const gatherJoins = 100
/** How long a read that is in no hurry waits for others. */
export const gatherReads = 250
/** How long a broadcast may still be on its way after the database has told of it. */
export const deliveryTime = 250
/** How long outdated answers are dropped before what the database says is taken all the same. */
export const outdatedFor = 30_000
/** How long the same refusal has to stand before something that was shown counts as refused. */
export const refusedAfter = 30_000
/** The shortest time between two reads for doubt; it doubles while doubts go on. */
export const doubtFirst = 1_000
export const doubtMost = 10_000
/** Of lists: many runs go on at once, and whoever looks at them sees that one is missing. */
export const doubtMostOfLists = 4_000
