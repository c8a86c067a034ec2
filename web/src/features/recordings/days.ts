// Days as date fields have them, in the reader's zone.

const two = (n: number): string => String(n).padStart(2, '0')

/** A moment's day, such as "2027-03-02". */
export const dayOf = (at: Date): string => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`

/** When a day begins, for the server. */
export const beginOf = (day: string): string => new Date(`${day}T00:00:00`).toISOString()

/** When a day is over: the next one begins, which clocks that are set do not move. */
export function endOf(day: string): string {
  const at = new Date(`${day}T00:00:00`)
  at.setDate(at.getDate() + 1)
  return at.toISOString()
}
