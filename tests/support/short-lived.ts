/**
 * For a process that runs Postgres and soon ends: optimising its WebAssembly on the other core takes
 * longer than what runs faster then.
 */
export const shortLived = ['--liftoff-only']
