// Files that the browser takes from the server by itself. What it is refused it would show in place of the page, or keep as if
// it were the file: so the server is asked first, by HEAD, which takes nothing away.
import { Problem, problemFrom } from './http'

/** What a refusal without a body says. */
const codes: Readonly<Record<number, string>> = { 401: 'unauthenticated', 403: 'forbidden', 404: 'not-found', 410: 'not-found', 429: 'too-many', 503: 'unavailable' }

/** Has the browser download what is at an address of this server, under the server's name for it; or throws a Problem. */
export async function take(address: string): Promise<void> {
  let answer: Response
  try {
    answer = await fetch(address, { method: 'HEAD', cache: 'no-store' })
  } catch (error) {
    throw new Problem('offline', 0, String(error))
  }
  if (!answer.ok) throw problemFrom(answer.status, { type: `urn:aparte:problem:${codes[answer.status] ?? 'internal'}` }, answer.headers.get('Retry-After'))
  const link = document.createElement('a')
  link.href = address
  link.download = ''
  link.click()
}
