/**
 * How far two honest clocks may be apart: each is within ten minutes of the truth, or its user is told to correct it.
 * Something made just now by another person may therefore seem to be made this many seconds in the future.
 */
export const clockToleranceSeconds = 1_200
