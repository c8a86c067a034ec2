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

const keptKey = (linkID: string) => `aparte.link.${linkID}`

/** Keeps the secret in this browser, so that the host can copy the link again. */
export function keepSecret(linkID: string, secret: string): void {
  try {
    localStorage.setItem(keptKey(linkID), secret)
  } catch {
    // Nothing is kept in private mode: the link can still be copied now.
  }
}

export function keptSecret(linkID: string): string | null {
  try {
    return localStorage.getItem(keptKey(linkID))
  } catch {
    return null
  }
}

export function forgetSecret(linkID: string): void {
  try {
    localStorage.removeItem(keptKey(linkID))
  } catch {
    // It was never kept.
  }
}
