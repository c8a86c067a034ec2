import type { Readable } from '@/api'
import type { Preferences, Strength } from '../preferences'

/** The strength that is wished at each moment; while the blur is being taken off, that of before stands. */
export function strengthOf(preferred: Readable<Pick<Preferences, 'blur'>>): () => Strength {
  let last: Strength = 'strong'
  const now = () => {
    const { blur } = preferred.get()
    return blur === 'off' ? last : (last = blur)
  }
  now()
  return now
}
