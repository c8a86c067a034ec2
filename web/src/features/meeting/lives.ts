/** How long links live, in hours. */
export const lives = [4, 24, 168, 720, 2160] as const

/** The end of a life that begins now. */
export function endAfter(hours: number, from = Date.now()): string {
  return new Date(from + hours * 3_600_000).toISOString()
}
