// Where a guest's browser keeps its keys. Whether there is one for a link is asked before anything else; what is done with keys
// (binding.ts) comes when it is wanted.

/** A key pair as it lies in the browser. */
export interface KeptKey {
  privateKey: CryptoKey
  /** The uncompressed point in base64url. */
  publicKey: string
}

/** Where keys are kept, by link. Each method may fail. */
export interface KeyShelf {
  get(linkID: string): Promise<KeptKey | null>
  /** Keeps a key unless there is one already, and gives the one that is kept then. */
  keep(linkID: string, made: KeptKey): Promise<KeptKey>
}

/** Nobody waits longer than this for a browser to find a key or to say that it keeps none. */
const patience = 3_000

export async function inTime(work: () => Promise<KeptKey | null>): Promise<KeptKey | null> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), patience)))
  try {
    return await Promise.race([work(), late])
  } catch {
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** IndexedDB is the one place that keeps a key without ever showing it to a script. */
export class IndexedShelf implements Pick<KeyShelf, 'get'> {
  get(linkID: string): Promise<KeptKey | null> {
    return inStore<KeptKey | null>('readonly', (keys, done) => {
      const found = keys.get(linkID)
      found.onsuccess = () => done(isKept(found.result) ? found.result : null)
    })
  }
}

/** The key of a link, if this browser has knocked by it before. Does not fail: null is "none". */
export function findKey(linkID: string, shelf: Pick<KeyShelf, 'get'> = new IndexedShelf()): Promise<KeptKey | null> {
  return inTime(() => shelf.get(linkID))
}

export function isKept(value: unknown): value is KeptKey {
  const key = value as Partial<KeptKey> | null | undefined
  return key?.privateKey instanceof CryptoKey && typeof key.publicKey === 'string'
}

export async function inStore<T>(mode: IDBTransactionMode, work: (keys: IDBObjectStore, done: (value: T) => void) => void): Promise<T> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open('aparte', 1)
    opening.onupgradeneeded = () => opening.result.createObjectStore('keys')
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error ?? new Error('no database'))
  })
  try {
    return await new Promise<T>((resolve, reject) => {
      const transaction = database.transaction('keys', mode, { durability: 'strict' })
      let result: T
      transaction.oncomplete = () => resolve(result)
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error('not kept'))
      work(transaction.objectStore('keys'), (value) => (result = value))
    })
  } finally {
    database.close()
  }
}
