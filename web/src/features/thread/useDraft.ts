import { useState } from 'react'

/** A text being written, kept in the tab under a key so that a reload loses nothing. Without a key it is not kept. */
export function useDraft(key: string | undefined): [string, (text: string) => void] {
  const [text, setText] = useState(() => read(key))
  const write = (next: string) => {
    setText(next)
    if (key === undefined) return
    try {
      if (next === '') sessionStorage.removeItem(key)
      else sessionStorage.setItem(key, next)
    } catch {
      // A browser that keeps nothing still has it on the screen.
    }
  }
  return [text, write]
}

function read(key: string | undefined): string {
  if (key === undefined) return ''
  try {
    return sessionStorage.getItem(key) ?? ''
  } catch {
    return ''
  }
}
