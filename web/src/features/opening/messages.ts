// What the page and the worker say to each other, and what the program in the worker says (recorder/opening).

/** A part of a recording, sealed. */
export interface Part { name: string; file: Blob }

/** Keys go as files, and are read in the worker alone. */
export type Ask =
  | { ask: 'verify'; parts: Part[]; nodeKey: string }
  | { ask: 'open'; keys: Blob; damaged: boolean; into: FileSystemDirectoryHandle | null; most: number }

export type Told =
  | { told: 'ready' }
  | { told: 'progress'; done: number; of: number }
  | { told: 'verified'; report: Report }
  | { told: 'opened'; opened: Opened; files: Made[] }
  | { told: 'failed'; failure: Failure }

/** A media file that was made, in plain; the media are in memory. */
export interface Made { name: string; media: Blob }

/** What verifying found. */
export interface Report {
  node: string
  parts: { name: string; part: number; recording: string; began?: string; ended?: string; segments: number; lost: number }[]
  findings: { kind: 'deleted' | 'swapped' | 'repeated' | 'altered' | 'foreign' | 'truncated' | 'added'; part: number; segment: number }[]
  more: number
  /** The key that all of it says it is signed with, where that is not the one that was given. */
  stranger?: string
  unclosed?: { part: number; segment: number; shutdown: boolean }
  text: string[]
}

/** The index of an export (docs/recording.md); times in seconds of the recording. */
export interface Index {
  recording: string
  began: string
  duration: number
  incomplete?: string
  people: { identity: string; name: string; kind?: string }[]
  files: IndexFile[]
  skipped?: { identity: string; track: string; codec: string; reason: string }[]
  events: IndexEvent[]
}

export interface IndexFile {
  file: string
  identity: string
  track: string
  source: string
  codec: string
  start: number
  duration: number
  holes?: { from: number; to: number }[]
}

export interface IndexEvent {
  at: number
  kind: string
  identity?: string
  identities?: string[]
  since?: number
  text?: string
}

export interface Opened { index: Index; segments: number; missing: number }

/**
 * Why it did not work, with the words of the command; keys: the fingerprints of those that open it, where the one given does
 * not. The page's own, before the worker has anything: 'broken-off' (what was taken from the server did not come to its end)
 * and 'gone' (the server has it no more, or not for this person).
 */
export interface Failure { keys?: string[]; code: 'broken-off' | 'gone' | 'key' | 'node-key' | 'not-for-us' | 'tampered' | 'too-much' | 'full' | 'unreadable' | 'unwritable' | 'there' | 'failed'; detail: string }

/** A failure, by its code. */
export class OpeningError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.detail)
  }
}
