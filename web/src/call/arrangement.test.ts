import { RoomEvent, Track } from 'livekit-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { arrange, keyOf, layouts, selfViews, type Arrangement, type Wishes } from './arrangement'
import { setUp, type FakeParticipant } from './fake'
import type { Person, Share } from './people'
import { holdsFor } from './speaker'

const person = (identity: string) => ({ identity, self: identity === 'me' }) as Person
const screen = (identity: string) => ({ identity, self: identity === 'me' }) as Share
const people = ['a', 'b', 'c', 'me'].map(person)
const plain: Wishes = { layout: 'auto', selfView: 'tile', pins: [], share: '', speaker: 'b' }

/** Every list of tiles with who is on it, in order; the large picture of the speaker layout apart. */
function lists(at: Arrangement): Record<string, string[]> {
  const names = (all: readonly Person[]) => all.map(({ identity }) => identity)
  switch (at.is) {
    case 'grid':
      return { grid: at.seats.map(keyOf) }
    case 'front':
      return { front: names(at.front), others: names(at.others) }
    case 'speaker':
      return { others: names(at.people) }
    case 'presentation':
      return { screen: [at.share.identity], strip: names(at.people) }
  }
}

const seen = (wishes: Partial<Wishes>, shares: string[] = [], spotlight: string[] = []) => {
  const at = arrange({ people, shares: shares.map(screen), spotlight }, { ...plain, ...wishes })
  const words = Object.entries(lists(at)).map(([list, who]) => `${list}: ${who.join(' ')}`)
  return [...(at.is === 'speaker' ? [`large: ${at.speaker.identity}`] : []), ...words].join('; ')
}

describe('an arrangement', () => {
  it.each<[string, string]>([
    [seen({}), 'grid: a b c me'],
    [seen({ selfView: 'small' }), 'grid: a b c'],
    [seen({ selfView: 'hidden', layout: 'grid' }), 'grid: a b c'],
    [seen({ pins: ['c', 'a'] }), 'front: c a; others: b me'],
    [seen({ pins: ['c'] }, [], ['a', 'c']), 'front: c a; others: b me'],
    [seen({ pins: ['gone'] }), 'grid: a b c me'],
    [seen({ layout: 'grid', pins: ['c'] }), 'grid: c a b me'],
    [seen({ layout: 'speaker' }), 'large: b; others: a b c me'],
    [seen({ layout: 'speaker', speaker: 'me' }), 'large: a; others: a b c me'],
    [seen({ layout: 'speaker', pins: ['c'] }), 'front: c; others: a b me'],
    [seen({}, ['b']), 'screen: b; strip: b a c me'],
    [seen({ pins: ['c'] }, ['b']), 'screen: b; strip: c b a me'],
    [seen({}, ['b', 'c']), 'screen: c; strip: c a b me'],
    [seen({ share: 'b' }, ['b', 'c']), 'screen: b; strip: b a c me'],
    [seen({}, ['me']), 'grid: a b c me'],
    [seen({ layout: 'grid' }, ['b', 'me']), 'grid: share/b a b c me'],
  ])('%s', (is, shouldBe) => {
    expect(is).toBe(shouldBe)
  })

  it('shows one other person large in the speaker layout, and nobody twice', () => {
    const two = arrange({ people: ['a', 'me'].map(person), shares: [], spotlight: [] }, { ...plain, layout: 'speaker' })
    expect(lists(two)).toEqual({ front: ['a'], others: ['me'] })
    const alone = arrange({ people: [person('me')], shares: [], spotlight: [] }, { ...plain, layout: 'speaker' })
    expect(lists(alone)).toEqual({ grid: ['me'] })
  })
})

/** The same numbers from the same seed (mulberry32). */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * sides)
  }
}

describe('no tile moves', () => {
  let changes = 0
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it.each(Array.from({ length: 40 }, (_, seed) => seed))('unless somebody comes, leaves, pins, is put in front, shares, or the viewer changes the layout (%i)', async (seed) => {
    const roll = dice(seed)
    const { call, room } = setUp({ mic: true, cam: true })
    const { view } = call
    call.start()
    await vi.advanceTimersByTimeAsync(0)
    const now = () => {
      const state = call.state.get()
      return arrange({ people: state.people, shares: state.shares, spotlight: state.moderation.spotlight }, view.state.get())
    }
    let came = 0
    const come = () => void room.add(`p${came}`, `P${came}`, 1_000 * came++)
    for (let i = 0; i < 5; i++) come()
    await vi.advanceTimersByTimeAsync(0)
    const somebody = (): FakeParticipant | undefined => [...room.remoteParticipants.values()][roll(room.remoteParticipants.size)]
    const tell = (event: RoomEvent) => room.emit(event, { isDesired: true }, room.localParticipant)
    const toggle = (source: Track.Source, who = somebody()) => {
      const publication = who?.getTrackPublication(source)
      if (publication) publication.isMuted = !publication.isMuted
      else if (source === Track.Source.Camera) void who?.setCameraEnabled(true)
      else void who?.setMicrophoneEnabled(true)
      tell(RoomEvent.TrackMuted)
    }
    const moves: [string, () => void][] = [
      ['comes', come],
      ['leaves', () => {
        const who = somebody()
        if (who) room.remoteParticipants.delete(who.identity)
        tell(RoomEvent.ParticipantDisconnected)
      }],
      ['pins', () => view.togglePin(somebody()?.identity ?? '')],
      ['is put in front', () => {
        room.metadata = JSON.stringify({ spotlight: roll(2) ? [somebody()?.identity ?? ''] : [] })
        tell(RoomEvent.RoomMetadataChanged)
      }],
      ['shares', () => {
        const who = somebody()
        void who?.setScreenShareEnabled(!who.isScreenShareEnabled)
        tell(RoomEvent.TrackPublished)
      }],
      ['changes the layout', () => view.setLayout(layouts[roll(layouts.length)] ?? 'auto')],
      ['changes the self view', () => view.setSelfView(selfViews[roll(selfViews.length)] ?? 'tile')],
      ['chooses a share', () => view.chooseShare(somebody()?.identity ?? '')],
    ]
    const quiet: [string, () => void][] = [
      ['speaks', () => {
        const who = somebody()
        if (!who) return
        who.isSpeaking = !who.isSpeaking
        tell(RoomEvent.ActiveSpeakersChanged)
      }],
      ['mutes', () => toggle(Track.Source.Microphone)],
      ['turns the camera', () => toggle(Track.Source.Camera)],
      ['raises a hand', () => {
        const who = somebody()
        if (who) who.attributes = { ...who.attributes, 'aparte.hand': String(roll(4)) }
        tell(RoomEvent.ParticipantAttributesChanged)
      }],
      ['is renamed to co-host', () => {
        const who = somebody()
        if (who) who.attributes = { ...who.attributes, 'aparte.role': ['host', 'cohost', 'guest'][roll(3)] ?? '' }
        tell(RoomEvent.ParticipantAttributesChanged)
      }],
      ['is received anew, in another order', () => {
        // As after a join of ours: the server lists people, and their tracks arrive one after the other.
        tell(RoomEvent.Reconnecting)
        const all = [...room.remoteParticipants].toSorted(() => roll(3) - 1)
        room.remoteParticipants.clear()
        tell(RoomEvent.ParticipantDisconnected)
        for (const [identity, participant] of all) room.remoteParticipants.set(identity, participant)
        tell(RoomEvent.Reconnected)
      }],
      ['loses a screen’s picture for a moment', () => {
        const publication = somebody()?.getTrackPublication(Track.Source.ScreenShare)
        if (publication) Object.assign(publication, { track: roll(2) ? undefined : { source: Track.Source.ScreenShare } })
        tell(RoomEvent.TrackUnsubscribed)
      }],
      ['hears less of somebody', () => view.setVolume(somebody()?.identity ?? '', roll(10) / 10)],
      ['turns the mirror', () => view.setMirror(roll(2) === 0)],
      ['waits', () => vi.advanceTimersByTime(roll(5_000))],
    ]
    const drawn: string[] = []
    // The large picture follows who speaks, and no faster than it may.
    let large = { who: view.state.get().speaker, spokenAt: -Infinity }
    view.state.subscribe(() => {
      const { speaker } = view.state.get()
      if (speaker === large.who) return
      const byWord = room.remoteParticipants.has(large.who)
      if (byWord) {
        expect(room.remoteParticipants.get(speaker)?.isSpeaking, drawn.join(', ')).toBe(true)
        expect(Date.now() - large.spokenAt, drawn.join(', ')).toBeGreaterThanOrEqual(holdsFor)
        changes++
      }
      large = { who: speaker, spokenAt: byWord ? Date.now() : -Infinity }
    })
    for (let i = 0; i < 120; i++) {
      const moving = roll(4) === 0
      const [word, act] = moving ? (moves[roll(moves.length)] ?? ['', come]) : (quiet[roll(quiet.length)] ?? ['', come])
      drawn.push(word)
      const before = now()
      await vi.advanceTimersByTimeAsync(0)
      act()
      await vi.advanceTimersByTimeAsync(0)
      const after = now()
      if (!moving) expect(lists(after), drawn.join(', ')).toEqual(lists(before))
    }
    expect(new Set(drawn).size).toBeGreaterThan(12)
  })

  it('and in all this the large picture has changed', () => {
    expect(changes).toBeGreaterThan(20)
  })
})
