import { describe, expect, it } from 'vitest'
import { codeHash, linkURL, newSecret } from './link'
import { fromBase64url, redemptionCode, toBase64url } from './secret'
import shared from './testdata/link-vectors.json'

describe('a guest link', () => {
  it.each(shared.vectors)('derives the same code and hash as every other implementation: $secret', async ({ secret, code, code_hash }) => {
    expect(await redemptionCode(secret)).toBe(code)
    expect(await codeHash(code)).toBe(code_hash)
  })

  it.each(shared.malformed)('gives no code for a malformed secret: %j', async (secret) => {
    expect(await redemptionCode(secret)).toBeNull()
  })

  it('has a fresh secret of 32 bytes each time', () => {
    const secrets = new Set(Array.from({ length: 50 }, newSecret))
    expect(secrets.size).toBe(50)
    for (const secret of secrets) expect(fromBase64url(secret)).toHaveLength(32)
  })

  it('carries the secret in the fragment, which no server sees', () => {
    const url = new URL(linkURL('https://meet.example', 'abc', 'S3'))
    expect([url.pathname, url.search, url.hash]).toEqual(['/i/abc', '', '#S3'])
  })

  it('round-trips base64url', () => {
    for (let length = 0; length < 40; length++) {
      const bytes = crypto.getRandomValues(new Uint8Array(length))
      expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
    }
  })
})
