// Guest link secrets. The host's browser makes the secret; the server gets only the hash of the redemption code
// derived from it, so that it cannot open the link itself (product.md, guest link). Test vectors: testdata/link-vectors.json.

import { fromBase64url, toBase64url } from './secret'

/** 32 fresh random bytes as base64url: what stands after # in a guest link. */
export function newSecret(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** What the server stores of a code: SHA-256 over its 32 bytes. */
export async function codeHash(code: string): Promise<string> {
  const bytes = fromBase64url(code)
  if (!bytes) throw new Error('a redemption code is base64url')
  return toBase64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}

/** The address to hand to a guest. */
export function linkURL(origin: string, linkID: string, secret: string): string {
  return `${origin}/i/${linkID}#${secret}`
}

// What this browser keeps of the links it made, so that a host can copy them again: the secret, and the PIN apart from it.
const secretKey = (linkID: string) => `aparte.link.${linkID}`
const pinKey = (linkID: string) => `aparte.linkpin.${linkID}`

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // Nothing is kept in private mode: it can still be copied now.
  }
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function forget(key: string): void {
  try {
    localStorage.removeItem(key)
  } catch {
    // It was never kept.
  }
}

export const keepSecret = (linkID: string, secret: string): void => keep(secretKey(linkID), secret)
export const keptSecret = (linkID: string): string | null => kept(secretKey(linkID))

/** null: the link has no PIN any more. */
export const keepPIN = (linkID: string, digits: string | null): void => (digits === null ? forget(pinKey(linkID)) : keep(pinKey(linkID), digits))
export const keptPIN = (linkID: string): string | null => kept(pinKey(linkID))

export function forgetLink(linkID: string): void {
  forget(secretKey(linkID))
  forget(pinKey(linkID))
}
