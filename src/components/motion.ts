/**
 * Each pulsing sign costs a compositor layer, and splits the layers of what is painted beside it.
 * If there are more signs than this they do not pulse: colour and shape still show what runs.
 */
export const mostMoving = 30
