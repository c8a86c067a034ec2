import { describe, expect, it } from 'vitest'
import { breath, follow, holdsFor, silence, speaksFor, type Speech } from './speaker'

/** Lets time pass and tells who speaks, as [at, 'ab']; answers who is large after each. */
function run(present: string, told: [at: number, speaking: string][]): string {
  let speech: Speech = silence
  let again: number | null = null
  const look = (at: number, speaking: string) => ({ speech, again } = follow(speech, Array.from(present, (identity) => ({ identity, speaking: speaking.includes(identity) })), at))
  let now = ''
  return told.map(([at, speaking]) => {
    // What is to be looked at again before is looked at.
    while (again !== null && again <= at) look(again, now)
    look(at, speaking)
    now = speaking
    return speech.shown
  }).join('')
}

describe('who is large', () => {
  it.each<[string, string, [number, string][], string]>([
    ['the first to have come, while nobody has spoken', 'ab', [[0, '']], 'a'],
    ['nobody, while nobody is there', '', [[0, '']], ''],
    ['is whoever has spoken for 1.5 s, by the clock alone', 'ab', [[0, 'b'], [speaksFor - 1, 'b'], [speaksFor, 'b']], 'aab'],
    ['is not who coughs', 'ab', [[0, 'b'], [1_000, ''], [3_000, 'b'], [4_000, ''], [9_000, '']], 'aaaaa'],
    ['is not who pauses for longer', 'ab', [[0, 'b'], [800, ''], [800 + breath, 'b'], [speaksFor, 'b']], 'aaaa'],
    ['is who breathes between two words', 'ab', [[0, 'b'], [800, ''], [800 + breath - 1, 'b'], [speaksFor - 1, 'b'], [speaksFor, 'b']], 'aaaab'],
    ['stays for 4 s', 'abc', [[0, 'b'], [speaksFor, 'b'], [speaksFor, 'c'], [speaksFor + holdsFor - 1, 'c'], [speaksFor + holdsFor, 'c']], 'abbbc'],
    ['stays while nobody else speaks', 'ab', [[0, 'b'], [speaksFor, ''], [60_000, '']], 'abb'],
    ['is who interrupts, and then who speaks on', 'ab', [[0, 'a'], [10_000, 'ab'], [11_499, 'ab'], [11_500, 'ab'], [12_000, 'a'], [15_499, 'a'], [15_500, 'a']], 'aaabbba'],
  ])('%s', (_what, present, told, shown) => {
    expect(run(present, told)).toBe(shown)
  })

  it('changes at once when who was large has left', () => {
    const b = follow(follow(silence, [{ identity: 'b', speaking: true }], 0).speech, [{ identity: 'b', speaking: true }], speaksFor).speech
    expect(b.shown).toBe('b')
    const { speech } = follow(b, [{ identity: 'a', speaking: false }, { identity: 'c', speaking: false }], speaksFor + 1)
    expect(speech.shown).toBe('a')
  })

  it('asks to be looked at again when something will change by itself, and not otherwise', () => {
    const started = follow(silence, [{ identity: 'a', speaking: false }, { identity: 'b', speaking: true }], 100)
    expect(started.again).toBe(100 + speaksFor)
    expect(follow(started.speech, [{ identity: 'a', speaking: false }, { identity: 'b', speaking: false }], 200).again).toBeNull()
  })
})
