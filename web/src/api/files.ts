// Files in the call. Sending goes by XMLHttpRequest, which alone tells how much has gone. Loaded with the call.
import { Problem, problemFrom, request } from './http'
import type { CallFile, CallMessage, FileDraft } from './types'

export interface FileCalls {
  /** Asks for the file's place: whoever may not send it is told before a byte of it travels. */
  announce: (draft: FileDraft) => Promise<CallFile>
  /** progress: bytes that have gone. */
  send: (id: string, body: Blob, progress: (sent: number) => void, signal: AbortSignal) => Promise<CallMessage>
  get: (id: string) => Promise<Blob>
  remove: (id: string) => Promise<unknown>
}

export function fileCalls(path: string, bearer?: string): FileCalls {
  const who = bearer === undefined ? {} : { bearer }
  const at = (id: string) => `${path}/files/${encodeURIComponent(id)}`
  return {
    announce: (body) => request('POST', `${path}/files`, { ...who, body }),
    send: (id, body, progress, signal) => put(at(id), body, progress, signal, bearer),
    get: (id) => get(at(id), bearer),
    remove: (id) => request('DELETE', at(id), who),
  }
}

const authorization = (bearer?: string): Record<string, string> => (bearer ? { Authorization: `Bearer ${bearer}` } : {})

function put(path: string, body: Blob, progress: (sent: number) => void, signal: AbortSignal, bearer?: string): Promise<CallMessage> {
  return new Promise((resolve, reject) => {
    const asked = new XMLHttpRequest()
    const abort = () => asked.abort()
    asked.open('PUT', `/api/v1${path}`)
    for (const [name, value] of Object.entries(authorization(bearer))) asked.setRequestHeader(name, value)
    asked.setRequestHeader('Content-Type', 'application/octet-stream')
    asked.upload.onprogress = (event) => progress(event.loaded)
    asked.onload = () => {
      const answer = json(asked.responseText)
      if (asked.status >= 200 && asked.status < 300) resolve(answer as CallMessage)
      else reject(problemFrom(asked.status, answer, asked.getResponseHeader('Retry-After')))
    }
    asked.onerror = () => reject(new Problem('offline', 0, 'not sent'))
    asked.onabort = () => reject(new DOMException('cancelled', 'AbortError'))
    asked.onloadend = () => signal.removeEventListener('abort', abort)
    // A request that was not sent tells nobody when it is aborted (XMLHttpRequest, section 3.5.9).
    if (signal.aborted) return reject(new DOMException('cancelled', 'AbortError'))
    signal.addEventListener('abort', abort)
    asked.send(body)
  })
}

async function get(path: string, bearer?: string): Promise<Blob> {
  let answer: Response
  try {
    answer = await fetch(`/api/v1${path}`, { headers: authorization(bearer), credentials: bearer ? 'omit' : 'same-origin', cache: 'no-store' })
    // Never of the type that its sender tells: it is kept, and shown nowhere here.
    if (answer.ok) return new Blob([await answer.arrayBuffer()], { type: 'application/octet-stream' })
  } catch (error) {
    throw new Problem('offline', 0, String(error))
  }
  throw problemFrom(answer.status, json(await answer.text()), answer.headers.get('Retry-After'))
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
