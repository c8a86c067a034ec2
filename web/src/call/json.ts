// Reads JSON of the server, or kept in the browser, of which nothing is believed before it has been looked at.

/** The JSON object in a text, or null. */
export function objectIn(text: string | undefined): Record<string, unknown> | null {
  try {
    return objectOf(JSON.parse(text ?? ''))
  } catch {
    return null
  }
}

export function objectOf(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
}

/** The texts in a list; what is none is left out. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []
}

/** Now, or before if it says the same, so that nothing is drawn again. */
export function kept<T>(before: T, now: T): T {
  return JSON.stringify(now) === JSON.stringify(before) ? before : now
}
