// One way to talk to /api/v1. Answers that are not 2xx become a Problem (RFC 9457), and so does a network that is not there.

/** A refusal in the server's words. code is the end of the problem's type: urn:aparte:problem:CODE. */
export class Problem extends Error {
  override name = 'Problem'
  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    /** What is wrong with each field, by its JSON path without "body.", in the server's words. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** The whole problem document, for members of its own such as valid_from or host. */
    readonly document: Readonly<Record<string, unknown>> = {},
    /** Seconds to wait before trying again, from Retry-After. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }

  /** The kind of mistake in a field; undefined where the server tells none. */
  mistake(field: string): string | undefined {
    return entries(this.document).find((entry) => pathOf(entry) === field && typeof entry['code'] === 'string')?.['code'] as string | undefined
  }

  /** A member of the problem's own, when it is a string. */
  text(member: string): string | undefined {
    const value = this.document[member]
    return typeof value === 'string' ? value : undefined
  }
}

/** True for a Problem with that code. */
export function isProblem(error: unknown, ...codes: string[]): error is Problem {
  return error instanceof Problem && (codes.length === 0 || codes.includes(error.code))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function entries(document: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Array.isArray(document['errors']) ? document['errors'].filter(isRecord) : []
}

function pathOf({ location }: Record<string, unknown>): string | null {
  return typeof location === 'string' ? location.replace(/^body\./, '') : null
}

/** Reads a problem document; anything else that is not 2xx becomes "internal". */
export function problemFrom(status: number, body: unknown, retryAfter?: string | null): Problem {
  const document = isRecord(body) ? body : {}
  const type = typeof document['type'] === 'string' ? document['type'] : ''
  const prefix = 'urn:aparte:problem:'
  const code = type.startsWith(prefix) ? type.slice(prefix.length) : status === 401 ? 'unauthenticated' : status === 404 ? 'not-found' : 'internal'
  const fields: Record<string, string> = {}
  for (const entry of entries(document)) {
    const path = pathOf(entry)
    if (path !== null && typeof entry['message'] === 'string') fields[path] = entry['message']
  }
  const said = [document['detail'], document['title']].find((text) => typeof text === 'string' && text !== '')
  const seconds = Number(retryAfter)
  return new Problem(code, status, typeof said === 'string' ? said : `HTTP ${status}`, fields, document, retryAfter && seconds > 0 ? seconds : undefined)
}

interface Call {
  body?: unknown
  /** A file sent as it is, instead of a JSON body. */
  csv?: Blob
  /** A guest's session token; agents are known by their cookie. */
  bearer?: string
  keepalive?: boolean
  /** Ends the call before its answer. */
  signal?: AbortSignal
}

/** Calls /api/v1 and gives the JSON answer, or throws a Problem. */
export async function request<T>(method: string, path: string, { body, csv, bearer, keepalive, signal }: Call = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  if (csv) headers['Content-Type'] = 'text/csv'
  if (bearer) headers['Authorization'] = `Bearer ${bearer}`
  let answer: Response
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      // A guest is known by the header alone: no cookie of this origin goes along.
      credentials: bearer ? 'omit' : 'same-origin',
      cache: 'no-store',
      ...(keepalive ? { keepalive } : {}),
      ...(signal ? { signal } : {}),
      ...(csv ? { body: csv } : body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    throw new Problem('offline', 0, String(error))
  }
  const text = await answer.text()
  let json: unknown
  try {
    json = text === '' ? undefined : JSON.parse(text)
  } catch {
    json = undefined
  }
  if (!answer.ok) throw problemFrom(answer.status, json, answer.headers.get('Retry-After'))
  return json as T
}
