import { describe, expect, it } from 'vitest'
import { chapterAt, clock, fileOf, goesOn, jump, lasting, leftOf, mayChoose, screenOf, soundAlone, stageOf } from './told'

const chosen = { since: '2027-03-02T09:00:00Z', layout: 'grid', format: 'webm' } as const

describe('a film', () => {
  it.each([
    ['running', undefined, 'recording', true], ['stopped', undefined, 'none', false], ['stopped', 'queued', 'queued', true], ['stopped', 'running', 'running', true],
    ['stopped', 'failed', 'failed', false], ['stopped', 'unavailable', 'unavailable', true], ['stopped', 'done', 'done', false],
  ] as const)('of a recording that is %s, itself %s, is shown as %s', (state, film, screen, on) => {
    const shown = screenOf(film ? { state, film: { ...chosen, state: film } } : { state })
    expect([shown, goesOn(shown)]).toEqual([screen, on])
  })

  it.each([
    [['watch', 'compose'], 'done', true], [['watch', 'compose'], 'failed', true], [['watch', 'compose'], 'queued', true], [['watch', 'compose'], 'running', false],
    [['watch'], 'done', false], [['watch', 'compose'], undefined, false],
  ] as const)('of whoever may %s one that is %s: another is chosen: %s', (may, state, is) => {
    expect(mayChoose({ may: [...may], ...(state ? { film: { ...chosen, state } } : {}) })).toBe(is)
  })

  it('says what kind of file it is', () => {
    expect((['video/webm', 'audio/ogg', 'video/mp4', 'audio/mp4']).map((type) => [fileOf({ type }), soundAlone({ type })])).toEqual([['WebM', false], ['Ogg', true], ['MP4', false], ['M4A', true]])
  })

  it('says how far it is, and no more than is known', () => {
    expect(stageOf({ stage: 'pictures', progress: 0.42 })).toEqual({ id: 'film.stage.pictures', n: 3, of: 4, done: 0.42 })
    expect(stageOf({})).toEqual({ id: 'film.stage.opening', n: 1, of: 4, done: null })
    expect([undefined, 0, 20, 61, 3600].map((left) => leftOf(left === undefined ? {} : { left }))).toEqual([null, 1, 1, 2, 60])
    expect([lasting('damaged'), lasting('too-costly'), lasting('no-room'), lasting(undefined)]).toEqual([true, true, false, false])
  })

  it('tells times', () => {
    expect([0, 9.9, 75, 3599, 3600, 7325, -1].map(clock)).toEqual(['0:00', '0:09', '1:15', '59:59', '1:00:00', '2:02:05', '0:00'])
  })

  it('knows the chapter', () => {
    const chapters = [{ at: 0 }, { at: 2.5 }, { at: 10 }]
    expect([0, 2, 2.46, 2.5, 9, 99].map((time) => chapterAt(chapters, time))).toEqual([0, 0, 1, 1, 1, 2])
    expect(chapterAt([], 1)).toBe(-1)
  })

  it('goes where keys lead, within the film', () => {
    expect([jump('ArrowLeft', 3, 60), jump('ArrowRight', 58, 60), jump('ArrowRight', 10, 60), jump('Home', 5, 60), jump('End', 5, 60), jump('a', 5, 60)]).toEqual([0, 60, 15, 0, 60, null])
  })
})
