import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BrowserKeys, holds, knockStatement, prove, returnStatement } from './binding'
import type { KeptKey, KeyShelf } from './keys'
import { fromBase64url } from './secret'

/** A browser's shelf of keys in memory. */
function shelf(broken: Partial<KeyShelf> = {}) {
  const kept = new Map<string, KeptKey>()
  const whole: KeyShelf = {
    get: (id) => Promise.resolve(kept.get(id) ?? null),
    keep: (id, made) => Promise.resolve(kept.get(id) ?? (kept.set(id, made), made)),
  }
  return { kept, keys: new BrowserKeys({ ...whole, ...broken }) }
}

describe("a browser's key", () => {
  it('is made once for each link, and never before it is asked for', async () => {
    const { keys, kept } = shelf()
    expect(await keys.find('A')).toBeNull()
    expect(kept.size).toBe(0)
    const made = await keys.findOrMake('A')
    expect(await keys.findOrMake('A')).toBe(made)
    expect(await keys.find('A')).toBe(made)
    expect((await keys.findOrMake('B'))?.publicKey).not.toBe(made?.publicKey)
  })

  it('cannot be read by any script, and is a point of P-256', async () => {
    const key = await shelf().keys.findOrMake('A')
    if (!key) throw new Error('no key')
    await expect(crypto.subtle.exportKey('pkcs8', key.privateKey)).rejects.toThrow()
    expect([...(fromBase64url(key.publicKey) ?? [])].slice(0, 1)).toEqual([4])
    expect(fromBase64url(key.publicKey)).toHaveLength(65)
  })

  it('signs what the proof is for, and nothing else', async () => {
    const key = await shelf().keys.findOrMake('A')
    if (!key) throw new Error('no key')
    const statement = knockStatement('A', 'session', 'challenge')
    const proof = await prove(key, statement)
    expect(proof.signature).toHaveLength(86)
    expect(await holds(proof, statement)).toBe(true)
    for (const other of [knockStatement('B', 'session', 'challenge'), knockStatement('A', 'other', 'challenge'), knockStatement('A', 'session', ''), returnStatement('A', 'challenge')]) {
      expect(await holds(proof, other)).toBe(false)
    }
  })

  it.each([
    ['nothing can be read', { get: () => Promise.reject(new Error('private')) }],
    ['nothing can be kept', { keep: () => Promise.reject(new DOMException('no', 'DataCloneError')) }],
    ['what was kept is gone at once', { keep: (_: string, made: KeptKey) => Promise.resolve(made) }],
  ])('is none where %s', async (_, broken: Partial<KeyShelf>) => {
    expect(await shelf(broken).keys.findOrMake('A')).toBeNull()
  })

  it('is none where there is no IndexedDB', async () => {
    expect(await new BrowserKeys().findOrMake('A')).toBeNull()
  })
})

describe('a browser that does not answer', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('is not waited for', async () => {
    const found = shelf({ get: () => new Promise(() => undefined) }).keys.find('A')
    await vi.advanceTimersByTimeAsync(3_000)
    expect(await found).toBeNull()
  })
})
