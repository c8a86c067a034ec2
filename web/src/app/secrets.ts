// What a guest's tab keeps: the link's secret until it is redeemed, then the session and what proves a PIN together with it. sessionStorage: gone with the tab.
// A browser that keeps nothing still works until the page is reloaded.
import type { Keep } from '@/features/guest'

const memory = new Map<string, string>()

function read(key: string): string | null {
  try {
    return sessionStorage.getItem(key) ?? memory.get(key) ?? null
  } catch {
    return memory.get(key) ?? null
  }
}

function write(key: string, value: string | null): void {
  if (value === null) memory.delete(key)
  else memory.set(key, value)
  try {
    if (value === null) sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, value)
  } catch {
    // Blocked storage: memory has it.
  }
}

const secretKey = (linkID: string) => `aparte.secret.${linkID}`
const sessionKey = (linkID: string) => `aparte.guest.${linkID}`
const pinKey = (linkID: string) => `aparte.pin.${linkID}`
const leftKey = (linkID: string) => `aparte.left.${linkID}`

/** A newly opened link replaces what the tab knew of an older visit through it only once the secret is redeemed. */
export function keepForRedemption(linkID: string, secret: string): void {
  write(secretKey(linkID), secret)
}

/** The memory of one link's visit. */
export function keepFor(linkID: string): Keep {
  return {
    secret: () => read(secretKey(linkID)),
    session: () => read(sessionKey(linkID)),
    pinKey: () => read(pinKey(linkID)),
    left: () => read(leftKey(linkID)) !== null,
    redeemed: (session, key) => {
      write(sessionKey(linkID), session)
      write(pinKey(linkID), key)
      write(secretKey(linkID), null)
    },
    setLeft: (left) => write(leftKey(linkID), left ? '1' : null),
    forget: () => {
      write(sessionKey(linkID), null)
      write(pinKey(linkID), null)
      write(leftKey(linkID), null)
    },
  }
}
