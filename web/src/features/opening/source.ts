// What is opened, from the server or from files, and the key that verifies it.
import { agent } from '@/api'
import type { FoundRecording, KeptRecording } from '@/api'
import { OpeningError, type Part } from './messages'

/** Which recording of the server the address names: ids, which are no secrets. */
export interface Named { meeting: string; recording: string }

/** What the server answers to whoever does not get it, or where there is none. */
const refusals: readonly number[] = [401, 403, 404, 410]

export function namedBy(search: string): Named | null {
  const query = new URLSearchParams(search)
  const meeting = query.get('meeting') ?? ''
  const recording = query.get('recording') ?? ''
  return meeting && recording ? { meeting, recording } : null
}

/** Hosts and whoever it is shared with have it in their list. */
/** It may be one's own meeting's, or shared with one. */
export async function findRecording({ recording }: Named): Promise<FoundRecording | undefined> {
  return (await agent.findRecordings(new URLSearchParams({ recording }))).recordings.at(0)
}

/**
 * Takes the parts from the server, each at once: the trail has one line for each. They are sealed, and the browser may keep
 * them on its disk. What does not come whole is refused here: verified, it would be a recording that somebody cut off. Over
 * HTTP/2 a browser does not tell.
 */
export async function takeParts({ meeting, recording }: Named, parts: KeptRecording['parts'], progress: (share: number) => void, signal: AbortSignal): Promise<Part[]> {
  const all = parts.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  const taken: Part[] = []
  for (const { number, name, bytes } of parts) {
    const brokenOff = (why: string) => new OpeningError({ code: 'broken-off', detail: `part ${number}: ${why}` })
    const answer = await fetch(agent.recordingPart(meeting, recording, number), { signal, cache: 'no-store' }).catch((error: unknown) => {
      throw brokenOff(String(error))
    })
    if (refusals.includes(answer.status)) throw new OpeningError({ code: 'gone', detail: `part ${number}: ${answer.status}` })
    if (!answer.ok || !answer.body) throw brokenOff(String(answer.status))
    const counted = answer.body.pipeThrough(new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform(chunk, to) {
        done += chunk.length
        progress(all > 0 ? Math.min(done / all, 1) : 0)
        to.enqueue(chunk)
      },
    }))
    const file = await new Response(counted).blob().catch((error: unknown) => {
      throw brokenOff(String(error))
    })
    if (file.size !== bytes) throw brokenOff(`${file.size} of ${bytes} bytes`)
    taken.push({ name, file })
  }
  return taken
}

/** The server's own key; '' where it gives none, as to whoever is not signed in. */
export async function serverKey(signal: AbortSignal): Promise<string> {
  const answer = await fetch(agent.nodeKey, { signal })
  return answer.ok ? answer.text() : ''
}

/** How many bytes of media the memory is trusted with: less than what a browser moves to its disk, as far as that is known. */
export function mostInMemory(gigabytes: number | undefined): number {
  return Math.min((gigabytes ?? 4) * 0.15e9, 1.2e9)
}

/** A number of seconds as a player shows it: 4:05, 1:02:03. */
export function clocked(seconds: number): string {
  const whole = Math.floor(Math.max(seconds, 0))
  const two = (n: number) => String(n).padStart(2, '0')
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
