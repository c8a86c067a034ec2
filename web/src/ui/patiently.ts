const waits = [500, 2_000, 5_000]

/** Loads a part of the page, trying again: a weak link may lose one request of many. */
export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (const wait of waits) {
    try {
      return await load()
    } catch {
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
  return load()
}
