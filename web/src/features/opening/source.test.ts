import { afterEach, describe, expect, it, vi } from 'vitest'
import type { KeptRecording } from '@/api'
import { OpeningError } from './messages'
import { takeParts } from './source'

afterEach(() => vi.unstubAllGlobals())

const named = { meeting: 'm1', recording: 'r1' }
const parts = [1, 2].map((number) => ({ number, name: `part-${number}.tar`, bytes: 4_000 * number })) as unknown as KeptRecording['parts']
const body = (bytes: number, error?: Error) => new ReadableStream({
  start(to) {
    for (let left = bytes; left > 0; left -= 1_000) to.enqueue(new Uint8Array(Math.min(left, 1_000)))
    if (error) to.error(error)
    else to.close()
  },
})
/** What the server answers, part by part. */
function serve(...answers: (Response | Error)[]) {
  vi.stubGlobal('fetch', () => {
    const answer = answers.shift()
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error('not asked for'))
  })
}
async function take(): Promise<{ taken: [string, number][]; shares: number[] } | OpeningError['failure'] | string> {
  const shares: number[] = []
  try {
    const taken = await takeParts(named, parts, (share) => shares.push(share), new AbortController().signal)
    return { taken: taken.map(({ name, file }) => [name, file.size]), shares: [...new Set(shares)] }
  } catch (error) {
    return error instanceof OpeningError ? error.failure : String(error)
  }
}

describe('the parts of a recording that are taken from the server', () => {
  it('are whole, and it is told how far it is', async () => {
    serve(new Response(body(4_000)), new Response(body(8_000)))
    const got = await take()
    expect(got).toMatchObject({ taken: [['part-1.tar', 4_000], ['part-2.tar', 8_000]] })
    expect((got as { shares: number[] }).shares.at(-1)).toBe(1)
  })

  it.each([
    ['ends as if well before its end', [new Response(body(4_000)), new Response(body(3_000))], 'part 2: 3000 of 8000 bytes'],
    ['is nothing', [new Response(body(0))], 'part 1: 0 of 4000 bytes'],
    ['is longer than it was said to be', [new Response(body(5_000))], 'part 1: 5000 of 4000 bytes'],
    ['breaks off', [new Response(body(2_000, new TypeError('network error')))], 'part 1: TypeError: network error'],
    ['does not come', [new TypeError('Failed to fetch')], 'part 1: TypeError: Failed to fetch'],
    ['cannot be given now', [new Response(null, { status: 503 })], 'part 1: 503'],
  ])('are none of a damaged recording where one %s: it broke off', async (_, answers, detail) => {
    serve(...answers)
    expect(await take()).toEqual({ code: 'broken-off', detail })
  })

  it.each([401, 403, 404, 410])('are not tried again where the server refuses them: %i', async (status) => {
    serve(new Response('{}', { status }))
    expect(await take()).toEqual({ code: 'gone', detail: `part 1: ${status}` })
  })
})
