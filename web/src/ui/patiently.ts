const waits = [500, 2_000, 5_000]
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Loads a part of the page, trying again: a weak link may lose one request of many. */
export async function patiently<T>(load: () => Promise<T>): Promise<T> {
  for (const ms of waits) {
    try {
      return await load()
    } catch {
      await wait(ms)
    }
  }
  return load()
}

/** Loads a part of the page for as long as it takes: where the page goes on without it, as a call does, and must not break for want of it. */
export async function untilThere<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await patiently(load)
    } catch {
      await wait(waits.at(-1) ?? 0)
    }
  }
}
