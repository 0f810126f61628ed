import fc from 'fast-check'

// A mutant that one run kills and the next one lets live tells nothing, and no smaller case is
// wanted of one that is dead.
fc.configureGlobal({ seed: 1, numRuns: 25, endOnFailure: true })
