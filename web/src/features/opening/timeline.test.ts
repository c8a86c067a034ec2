import { describe, expect, it } from 'vitest'
import type { Index, IndexEvent, IndexFile } from './messages'
import { shownAt, skipTo, speakingAt, timelineOf } from './timeline'

const file = (name: string, identity: string, source: string, start: number, duration: number, more: Partial<IndexFile> = {}): IndexFile =>
  ({ file: name, identity, track: `TR_${name}`, source, codec: source === 'microphone' ? 'Opus' : 'VP8', start, duration, ...more })
const event = (at: number, kind: string, more: Partial<IndexEvent> = {}): IndexEvent => ({ at, kind, ...more })

/** Ann is there all the time, Bob from 10 to 60 and from 80 on; Cid was told of and is in none of it. */
const index: Index = {
  recording: 'r', began: '2027-03-02T09:00:00Z', duration: 100,
  people: [{ identity: 'ann', name: 'Ann' }, { identity: 'bob', name: 'Bob' }, { identity: 'cid', name: 'Cid' }],
  files: [
    file('a-cam', 'ann', 'camera', 0, 100, { holes: [{ from: 20, to: 21 }, { from: 30, to: 40 }] }),
    file('a-mic', 'ann', 'microphone', 0, 100, { holes: [{ from: 30, to: 40 }] }),
    file('b-cam', 'bob', 'camera', 10, 50),
    file('b-cam-2', 'bob', 'camera', 80, 20),
    file('a-screen', 'ann', 'screen_share', 50, 10),
    file('b-screen', 'bob', 'screen_share', 55, 10),
  ],
  events: [
    event(0.2, 'joined', { identity: 'ann' }), event(2, 'joined', { identity: 'cid' }), event(10, 'joined', { identity: 'bob' }),
    event(12, 'speaking', { identities: ['bob', 'cid'] }), event(15, 'speaking', { identities: [] }), event(17, 'speaking', { identities: ['bob'] }),
    event(21, 'speaking', { identities: ['ann', 'bob'] }), event(21.5, 'speaking', { identities: ['bob'] }), event(23, 'speaking', { identities: [] }),
    event(45, 'gap', { since: 43 }), event(47, 'message', { identity: 'cid', text: 'the annex' }), event(60, 'left', { identity: 'bob' }),
    event(65, 'paused'), event(75, 'resumed'), event(80, 'joined', { identity: 'bob' }), event(99, 'paused'), event(100, 'stopped'),
  ],
}
const timeline = timelineOf(index)
const seen = (at: number) => shownAt(timeline, at).people.map(({ identity, camera }) => `${identity} ${camera?.file ?? '-'}`)

describe('a recording in time', () => {
  it('shows everybody while they are there, and nobody of whom nothing was taken', () => {
    expect([0, 5].map(seen)).toEqual([['ann a-cam'], ['ann a-cam']])
    expect(seen(11)).toEqual(['ann a-cam', 'bob b-cam'])
    expect(seen(60.5)).toEqual(['ann a-cam'])
    expect(seen(85)).toEqual(['ann a-cam', 'bob b-cam-2'])
  })
  it('leaves the last picture for two seconds, and then the name', () => {
    expect([20.5, 31.9, 32.5, 39.9, 40].map((at) => seen(at)[0])).toEqual(['ann a-cam', 'ann a-cam', 'ann -', 'ann -', 'ann a-cam'])
  })
  it('plays sound through its holes, which are silent in the file', () => {
    expect(shownAt(timeline, 35).sounds.map((one) => one.file)).toEqual(['a-mic'])
  })
  it('has the latest of several screens in front', () => {
    expect([49, 51, 56, 61].map((at) => shownAt(timeline, at).screen?.file)).toEqual([undefined, 'a-screen', 'b-screen', 'b-screen'])
  })
  it('knows who speaks', () => {
    expect([0, 12, 16, 21.2, 50].map((at) => speakingAt(timeline, at))).toEqual([[], ['bob'], [], ['ann', 'bob'], []])
    expect(shownAt(timeline, 21.2).people.map(({ speaks }) => speaks)).toEqual([true, true])
  })
  it('goes over pauses, and not over the end', () => {
    expect([64.9, 65, 74.9, 75, 99.5].map((at) => skipTo(timeline, at))).toEqual([null, 75, 75, null, null])
  })
  it('tells what happened, words in between left out', () => {
    expect(timeline.moments.map(({ at, kind, identity, until, text }) => [at, kind, identity, until, text].filter((one) => one !== '' && one !== undefined).join(' '))).toEqual([
      '0.2 came ann', '10 came bob', '12 spoke bob', '43 gap 45', '47 wrote cid the annex', '50 shared ann', '55 shared bob', '60 left bob', '65 paused 75', '80 came bob', '99 paused 100',
    ])
  })
  it('goes over an interruption, however long the clock says it was, and over a pause that ended with one', () => {
    const interrupted = timelineOf({
      ...index, duration: 7300, files: [file('mic', 'ann', 'microphone', 0, 50), file('mic-2', 'ann', 'microphone', 3600, 50), file('mic-3', 'ann', 'microphone', 7200, 90)],
      events: [event(0, 'started'), event(48, 'speaking', { identities: [] }), event(3600, 'started'), event(3660, 'paused'), event(7200, 'started'), event(7300, 'stopped')],
    })
    expect([49.9, 50, 3599.9, 3600, 3659, 3660, 7200].map((at) => skipTo(interrupted, at))).toEqual([null, 3600, 3600, null, null, 7200, null])
    expect(interrupted.moments.map(({ at, until, kind }) => `${at} ${kind} ${until}`)).toEqual(['50 gap 3600', '3660 paused 7200'])
  })
})
