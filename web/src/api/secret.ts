// What a guest's browser derives from a link's secret, which the server never sees. Test vectors: testdata/link-vectors.json.

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

/** HKDF-SHA-256 (RFC 5869) of the secret with an empty salt, as base64url; null when the secret is malformed. */
async function derived(secret: string, info: string): Promise<string | null> {
  const bytes = fromBase64url(secret)
  if (bytes?.length !== 32) return null
  const key = await crypto.subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(info) }, key, 256)
  return toBase64url(new Uint8Array(bits))
}

/** The redemption code; null when the secret is malformed. */
export const redemptionCode = (secret: string): Promise<string | null> => derived(secret, 'aparte/link/auth')

/** The key of a link's PIN; null when the secret is malformed. It proves nothing without the PIN. */
export const pinKey = (secret: string): Promise<string | null> => derived(secret, 'aparte/link/pin')
