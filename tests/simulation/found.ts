/** Seeds that have found a fault, each with what it was. */
export const found: readonly { seed: number; what: string }[] = []
