import { useSyncExternalStore } from 'react'
import type { Readable } from '@/api'

/** Reads a view model; the component renders again when it changes. */
export function useStore<T>(store: Readable<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get)
}
