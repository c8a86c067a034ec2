// What a person does in a call besides speaking, over the API: agents and guests the same. Loaded with the call.
import { fileCalls, type FileCalls } from './files'
import { request } from './http'
import type { CallMessage, CallMessages, CallRecording, Reaction } from './types'

export interface CallCalls {
  /** What was written and is for this person, and the server's time. */
  messages: (signal?: AbortSignal) => Promise<CallMessages>
  /** to: 'everyone', 'hosts' or an identity. */
  say: (text: string, to: string) => Promise<CallMessage>
  react: (reaction: Reaction) => Promise<unknown>
  hand: (up: boolean) => Promise<unknown>
  files: FileCalls
  /** What is asked and said about recording; the path is below it. */
  recording: (method: string, path: string, body?: unknown, signal?: AbortSignal) => Promise<CallRecording>
  /** For hosts: null lowers all hands, null seconds stop the timer. */
  host?: {
    lower: (identity: string | null) => Promise<unknown>
    timer: (seconds: number | null) => Promise<unknown>
  }
}

function calls(path: string, bearer?: string): CallCalls {
  const who = bearer === undefined ? {} : { bearer }
  return {
    messages: (signal) => request('GET', `${path}/messages`, { ...who, ...(signal ? { signal } : {}) }),
    say: (text, to) => (to === 'everyone' ? request('POST', `${path}/messages`, { ...who, body: { text } }) : request('POST', `${path}/private-messages`, { ...who, body: { text, to } })),
    react: (reaction) => request('POST', `${path}/reactions`, { ...who, body: { reaction } }),
    hand: (up) => request(up ? 'PUT' : 'DELETE', `${path}/hand`, who),
    files: fileCalls(path, bearer),
    recording: (method, below, body, signal) => request(method, `${path}/recording${below}`, { ...who, body, ...(signal ? { signal } : {}) }),
  }
}

export const callAsGuest = (bearer: string): CallCalls => calls('/guest/call', bearer)

export function callAsAgent(meetingID: string): CallCalls {
  const path = `/meetings/${encodeURIComponent(meetingID)}/call`
  return {
    ...calls(path),
    host: {
      lower: (identity) => request('DELETE', identity === null ? `${path}/hands` : `${path}/hands/${encodeURIComponent(identity)}`),
      timer: (seconds) => (seconds === null ? request('DELETE', `${path}/timer`) : request('PUT', `${path}/timer`, { body: { seconds } })),
    },
  }
}
