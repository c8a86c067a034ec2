// Guest link secrets. The host's browser makes the secret; the server gets only the hash of the redemption code
// derived from it, so that it cannot open the link itself (product.md, guest link). Test vectors: testdata/link-vectors.json.

const codeInfo = 'aparte/link/auth'

/** base64url without padding (RFC 4648, section 5). */
export function toBase64url(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The bytes of base64url text, or null when it is not that. */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}

/** 32 fresh random bytes as base64url: what stands after # in a guest link. */
export function newSecret(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(32)))
}

/** The redemption code: HKDF-SHA-256 (RFC 5869) of the secret with an empty salt; null when the secret is malformed. */
export async function redemptionCode(secret: string): Promise<string | null> {
  const bytes = fromBase64url(secret)
  if (bytes?.length !== 32) return null
  const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits'])
  const code = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(codeInfo) }, key, 256)
  return toBase64url(new Uint8Array(code))
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
