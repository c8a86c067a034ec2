// What is said of a film, as ids of words and their values, and the arithmetic of its player. Nothing here knows a page.
import type { Film, KeptRecording, MadeFilm } from '@/api'

/** A recording with its meeting, as this page has it. */
export type Watched = KeptRecording & { meeting: string; title: string }

/** Which screen the page shows. */
export type Screen = 'recording' | 'none' | 'queued' | 'running' | 'failed' | 'unavailable' | 'done'

export function screenOf({ state, film }: Pick<KeptRecording, 'state' | 'film'>): Screen {
  if (film) return film.state
  return state === 'stopped' ? 'none' : 'recording'
}

/** Whether one may have the film made in another layout or format now. */
export const mayChoose = ({ may, film }: Pick<KeptRecording, 'may' | 'film'>): boolean => may.includes('compose') && film !== undefined && film.state !== 'running'

/** What kind of file a film is, as it is called in every language. */
export function fileOf({ type }: Pick<MadeFilm, 'type'>): string {
  return type === 'video/mp4' ? 'MP4' : type === 'audio/mp4' ? 'M4A' : type === 'audio/ogg' ? 'Ogg' : 'WebM'
}

/** Whether it has no pictures. */
export const soundAlone = ({ type }: Pick<MadeFilm, 'type'>): boolean => type.startsWith('audio/')

/** Whether something can change by itself, so that it is looked again. */
export const goesOn = (screen: Screen): boolean => screen === 'recording' || screen === 'queued' || screen === 'running' || screen === 'unavailable'

/** The stages in their order, each with its word. */
const stages: readonly NonNullable<Film['stage']>[] = ['opening', 'sound', 'pictures', 'joining']

/** How far a film is: its stage of how many, what that is, and how much of it is done, if that is known. */
export function stageOf({ stage = 'opening', progress }: Pick<Film, 'stage' | 'progress'>): { id: string; n: number; of: number; done: number | null } {
  return { id: `film.stage.${stage}`, n: stages.indexOf(stage) + 1, of: stages.length, done: progress ?? null }
}

/** How long it still takes, rounded up to whole minutes: nobody can tell it better. */
export function leftOf({ left }: Pick<Film, 'left'>): number | null {
  return left === undefined ? null : Math.max(Math.ceil(left / 60), 1)
}

/** Why there is no film: a word for each reason that the server's description has. */
export const reasons: Readonly<Record<NonNullable<Film['reason']>, string>> = {
  'no-program': 'film.why.noprogram',
  'no-key': 'film.why.nokey',
  nothing: 'film.why.nothing',
  damaged: 'film.why.damaged',
  'too-long': 'film.why.toolong',
  'too-costly': 'film.why.toocostly',
  'no-room': 'film.why.noroom',
  interrupted: 'film.why.interrupted',
  error: 'film.why.error',
}

/** Those after which another attempt would come to the same. */
export const lasting = (reason: Film['reason']): boolean => reason === 'no-key' || reason === 'nothing' || reason === 'damaged' || reason === 'too-long' || reason === 'too-costly'

/** A time of the film, such as 1:02:03 or 2:03, in digits that every language's readers know from players. */
export function clock(seconds: number): string {
  const s = Math.max(Math.floor(seconds), 0)
  const two = (n: number) => String(n).padStart(2, '0')
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`
}

/** The chapter in which a time is; -1: before the first. */
export function chapterAt(chapters: readonly { at: number }[], time: number): number {
  // Whoever went to a chapter is in it, though the film has no picture at that very time.
  return chapters.findLastIndex(({ at }) => at <= time + 0.05)
}

/** Where a key leads, in seconds, or null: it leads nowhere. */
export function jump(key: string, time: number, length: number): number | null {
  const to = key === 'ArrowLeft' ? time - 5 : key === 'ArrowRight' ? time + 5 : key === 'Home' ? 0 : key === 'End' ? length : null
  return to === null ? null : Math.min(Math.max(to, 0), length)
}

export const speeds = [0.75, 1, 1.25, 1.5, 2] as const
