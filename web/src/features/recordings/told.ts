// What is said of a recording, as ids of words and their values.
import type { KeptRecording } from '@/api'

/** How long it is from its start to its end, pauses too: whole minutes, by hours. */
export function length(from: Date, to: Date): { id: string; values: { h: number; n: number } } {
  const minutes = Math.max(Math.floor((to.getTime() - from.getTime()) / 60_000), 0)
  const values = { h: Math.floor(minutes / 60), n: minutes % 60 }
  return { id: values.h > 0 ? (values.n > 0 ? 'recs.length.hours' : 'recs.length.whole') : minutes > 0 ? 'recs.length.minutes' : 'recs.length.short', values }
}

/** One way of taking it away: somebody, at one time. */
export interface Taken { name: string; at: string; parts: number[]; /** Only bytes of them. */ some: boolean; /** The film, which is of no part. */ film: boolean }

/** Parts that the same person took one after the other, within a minute, are one line, and the film another; newest first, as they come. */
export function taken(downloads: KeptRecording['downloads']): Taken[] {
  const all: Taken[] = []
  for (const { name = '', at, what, part, extent } of downloads) {
    const last = all.at(-1)
    const film = what === 'film'
    if (last?.name === name && last.film === film && new Date(last.at).getTime() - new Date(at).getTime() < 60_000) {
      if (!film && !last.parts.includes(part)) last.parts.push(part)
      last.at = at
      last.some &&= extent === 'range'
    } else all.push({ name, at, parts: film ? [] : [part], some: extent === 'range', film })
  }
  return all
}

/** Whether something about it can still change by itself. */
export const going = ({ state }: Pick<KeptRecording, 'state'>): boolean => state !== 'stopped'

/** Why it stopped or was interrupted: a word for each reason that the server's description has. */
export const because: Readonly<Record<NonNullable<KeptRecording['because']>, string>> = {
  host: 'recs.because.host',
  'meeting-ended': 'recs.because.meetingended',
  'nobody-recorded': 'recs.because.nobodyrecorded',
  profile: 'recs.because.profile',
  'no-room': 'recs.because.noroom',
  quota: 'recs.because.quota',
  failed: 'recs.because.failed',
  'server-stopped': 'recs.because.serverstopped',
  'server-crashed': 'recs.because.servercrashed',
}

/** Where a part lies: a word for each place that the server's description has. */
export const lies: Readonly<Record<KeptRecording['parts'][number]['stored'], string>> = {
  here: 'recs.files.here',
  uploading: 'recs.files.uploading',
  there: 'recs.files.there',
}
