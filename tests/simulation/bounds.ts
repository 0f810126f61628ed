// What the client promises, in virtual ms and in requests. Every figure that a schedule is judged
// by is here. The slack covers what the simulated network itself takes.

/** The client's options in every schedule. */
export const startTimeout = 10_000
export const snapshotTimeout = 10_000

/** The longest round trip of a request while nothing slows the network down. */
export const roundTrip = 500

/** A run that is live, on a channel that delivers: what has happened shows within this. */
export const liveRun = 3_000 + 2 * roundTrip
/**
 * A joined channel that has become silent, while something was heard within `activeWithin`: one
 * probe after 4 s, a quarter of a second for messages on their way, and one read.
 */
export const silentActiveRun = 5_000 + 3 * roundTrip
export const activeWithin = 2_900
/**
 * A joined channel that is silent, while the run had no broadcasts before: the longest wait between
 * two probes (20 s), and the same again, as one probe may be lost to a read that is under way.
 */
export const silentIdleRun = 27_000
/** Requests that broadcasts cause are limited under a flood: up to 10 s between two. */
export const doubtSpacing = 10_000
/** A run without a channel is polled every 2 to 15 s. */
export const polledRun = 18_000 + 3 * roundTrip
/**
 * After requests have failed: the longest back-off (30 s × 1.25), one request that hangs until its
 * deadline, and a poll.
 */
export const afterOutage = 30_000 * 1.25 + snapshotTimeout + 8_000
/** A page that is seen again, or online, reads at once. */
export const afterWake = liveRun + 1_000
/** For how long outdated snapshots are dropped. */
export const outdatedFor = 30_000
/** Snapshots of an outdated replica are dropped for 30 s after they were last contradicted. */
export const afterReplicaLag = 30_000 + afterOutage
/**
 * A forged broadcast with an absurdly high seq makes all answers look outdated: for 30 s, and then
 * the database is believed.
 */
export const afterForgedSeq = 30_000 + afterOutage
/**
 * A forged broadcast with the next seq cannot be told from a genuine one: it stays until the next
 * read of the whole run, which comes at the latest after 200 s.
 */
export const afterForgedEvent = 200_000 + afterOutage
/** What the database has refused for 30 s is requested once a minute. */
export const afterRefusal = 30_000 + 60_000 + afterOutage
/** How long a refusal of what was readable has to stand before the run is `closed`. */
export const refusalStands = 29_000
/** A run that was deleted is found by a probe, and `closed` after 30 s of the same refusal. */
export const deletedRun = silentIdleRun + 30_000 + afterOutage
/** Without this project's SQL only whole reads find what was lost: every 15 to 60 s. */
export const plainRun = 60_000 * 1.25 + afterOutage
/** A throttled tab runs timers once a minute. */
export const throttledTimers = 60_000

/** A list on a feed that delivers. */
export const liveList = 5_000 + 2 * roundTrip
/** A list without a feed is polled every 2 to 15 s. */
export const polledList = 20_000 + 3 * roundTrip
/**
 * A list whose feed loses messages: what enters it is found by a whole read, at the latest after 60
 * s.
 */
export const silentList = 60_000 + afterOutage

/** A caller waits for the request before its own, and until outdated snapshots are accepted. */
export const readCall = 2 * snapshotTimeout + 30_000 + afterOutage
/** A start is repeated until its time is up; it is not late by more than this. */
export const startCall = startTimeout + 1_000
/** When a caller aborts, its promise rejects at once. */
export const abortedCall = 50

/** In an hour without anything new: probes of one run that is followed live… */
export const probesPerQuietHour = 230
/** …and reads of it: one each 150 to 200 s. */
export const readsPerQuietHour = 24
/** Requests of one run within `readWindow` that only broadcasts explain. */
export const readWindow = 10_000
export const readsPerWindow = 13
/** Requests of one run under a flood of forged broadcasts, and those that a genuine end needs. */
export const doubtsPerSecond = 1
export const doubtsExtra = 2
/** Reads of one run in the first five minutes of an outage: the steps of the back-off. */
export const readsPerOutage = 22
