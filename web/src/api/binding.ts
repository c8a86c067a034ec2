// How a guest's browser is recognised: by a key pair for each link, made at the first knock, whose private half no page can
// read. A browser that cannot keep one (no IndexedDB, private windows of some) goes on without: then only this tab is known.
import { findKey, IndexedShelf, inStore, inTime, isKept, type KeptKey, type KeyShelf } from './keys'
import { fromBase64url, toBase64url } from './secret'

export interface Proof {
  public_key: string
  signature: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** What is signed at a knock; the server puts together the same. */
export function knockStatement(linkID: string, session: string, challenge: string): string {
  return ['aparte/link/knock/v1', linkID, session, challenge].join('\n')
}

/** What is signed to come back by a link. */
export function returnStatement(linkID: string, challenge: string): string {
  return ['aparte/link/return/v1', linkID, challenge].join('\n')
}

export async function prove(key: KeptKey, statement: string): Promise<Proof> {
  const text = new TextEncoder().encode(`${statement}\n${key.publicKey}`)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, text)
  return { public_key: key.publicKey, signature: toBase64url(new Uint8Array(signature)) }
}

/** True when a proof holds for the statement; for tests and nobody else's decision. */
export async function holds(proof: Proof, statement: string): Promise<boolean> {
  const [point, signature] = [fromBase64url(proof.public_key), fromBase64url(proof.signature)]
  if (!point || !signature) return false
  const key = await crypto.subtle.importKey('raw', point, algorithm, false, ['verify'])
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, new TextEncoder().encode(`${statement}\n${proof.public_key}`))
}

async function newKey(): Promise<KeptKey> {
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const point = await crypto.subtle.exportKey('raw', pair.publicKey)
  return { privateKey: pair.privateKey, publicKey: toBase64url(new Uint8Array(point)) }
}

/** The keys of this browser. No method fails: null is "none". */
export class BrowserKeys {
  constructor(private readonly shelf: KeyShelf = new Shelf()) {}

  /** The key of a link, if this browser has knocked by it before. */
  find(linkID: string): Promise<KeptKey | null> {
    return findKey(linkID, this.shelf)
  }

  /** The key of a link, made now if there is none; null where it would not outlive the tab. */
  findOrMake(linkID: string): Promise<KeptKey | null> {
    return inTime(async () => {
      const kept = await this.shelf.get(linkID)
      if (kept) return kept
      await this.shelf.keep(linkID, await newKey())
      // What cannot be read back was not kept.
      return this.shelf.get(linkID)
    })
  }
}

/** IndexedDB is the one place that keeps a key without ever showing it to a script. */
class Shelf extends IndexedShelf implements KeyShelf {
  keep(linkID: string, made: KeptKey): Promise<KeptKey> {
    // Two tabs that knock at once agree on one key: look and put are one transaction.
    return inStore<KeptKey>('readwrite', (keys, done) => {
      const found = keys.get(linkID)
      found.onsuccess = () => {
        const kept: unknown = found.result
        if (isKept(kept)) return done(kept)
        keys.put(made, linkID)
        done(made)
      }
    })
  }
}
