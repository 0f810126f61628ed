// All times are in ms.

/** How long a request after a join waits for those of other runs. */
export const gatherJoins = 100
/** How long a poll waits for those of other runs. */
export const gatherReads = 250
/** How long the broadcast of a change may still be on its way after a probe has found the change. */
export const deliveryTime = 250
/** How long outdated snapshots are dropped before they are accepted all the same. */
export const outdatedFor = 30_000
/** The longest time between two requests of a `refresh` that waits for a newer snapshot. */
export const longestRetry = 5_000
/** How long the same refusal has to stand before a resource that was shown counts as refused. */
export const refusedAfter = 30_000
/** The shortest time between two requests caused by broadcasts; it doubles while more come. */
export const doubtFirst = 1_000
export const doubtMost = 10_000
/** For lists, where many runs change at once and a missing one is noticed soon. */
export const doubtMostOfLists = 4_000
