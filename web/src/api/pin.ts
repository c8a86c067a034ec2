// PINs of guest links. The proof of a PIN is a MAC under a key derived from the link's secret, which the server does not
// have: it sees no PIN, and cannot guess one from the hash it keeps. Test vectors: testdata/link-vectors.json.
import { codeHash } from './link'
import { fromBase64url, pinKey, toBase64url } from './secret'

/** What a guest sends instead of the PIN. */
export async function pinProof(key: string, digits: string): Promise<string> {
  const bytes = fromBase64url(key)
  if (bytes?.length !== 32) throw new Error('the key of a PIN has 32 bytes')
  const mac = await crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return toBase64url(new Uint8Array(await crypto.subtle.sign('HMAC', mac, new TextEncoder().encode(digits))))
}

/** What the server keeps of a PIN: the hash of its proof. */
export async function pinHash(secret: string, digits: string): Promise<string> {
  const key = await pinKey(secret)
  if (key === null) throw new Error('a secret has 32 bytes')
  return codeHash(await pinProof(key, digits))
}

/** A fresh PIN of six digits, each as likely as any other. */
export function newPIN(): string {
  for (;;) {
    const [drawn = 0] = crypto.getRandomValues(new Uint32Array(1))
    // The last, incomplete million would favour small numbers.
    if (drawn < 4_294_000_000) return String(drawn % 1_000_000).padStart(6, '0')
  }
}

// Zeros of the scripts whose digits people type: Latin, Arabic, Persian, Devanagari, Bengali, Thai, Khmer, full width.
const zeros = [0x30, 0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0x17e0, 0xff10]

/** The six digits of what was typed or pasted ("482 915", "٤٨٢٩١٥"), or null. */
export function readPIN(typed: string): string | null {
  let digits = ''
  for (const char of typed) {
    if (/[\s\p{Cf}\p{Pd}.·_]/u.test(char)) continue
    const code = char.codePointAt(0) ?? 0
    const zero = zeros.find((zero) => code >= zero && code < zero + 10)
    if (zero === undefined) return null
    digits += String(code - zero)
  }
  return digits.length === 6 ? digits : null
}

/** As people read it to each other: "482 915". */
export function shownPIN(digits: string): string {
  return `${digits.slice(0, 3)}\u00a0${digits.slice(3)}`
}
