import { afterEach, describe, expect, it, vi } from 'vitest'
import { isProblem, problemFrom, request } from './http'

afterEach(() => vi.unstubAllGlobals())

function answer(status: number, body: unknown, headers: Record<string, string> = {}) {
  const fetched = vi.fn(() => Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status, headers })))
  vi.stubGlobal('fetch', fetched)
  return fetched
}

describe('a problem', () => {
  it('has its code, its fields without "body." and members of its own', () => {
    const problem = problemFrom(422, { type: 'urn:aparte:problem:invalid', title: 'No', errors: [{ location: 'body.title', message: 'too long' }], host: 'Anne' })
    expect(problem).toMatchObject({ code: 'invalid', status: 422, message: 'No', fields: { title: 'too long' } })
    expect(problem.text('host')).toBe('Anne')
    expect(problem.text('errors')).toBeUndefined()
  })

  it('is made of whatever a proxy answers', () => {
    expect(problemFrom(502, '<html>').code).toBe('internal')
    expect(problemFrom(401, null).code).toBe('unauthenticated')
    expect(problemFrom(404, []).code).toBe('not-found')
    expect(problemFrom(422, { type: 'urn:aparte:problem:invalid', errors: [null, 3, { location: 1 }] }).fields).toEqual({})
  })
})

describe('a request', () => {
  it('of a guest carries the token and no cookie', async () => {
    const fetched = answer(200, { ok: true })
    expect(await request('GET', '/guest', { bearer: 'T' })).toEqual({ ok: true })
    expect(fetched).toHaveBeenCalledWith('/api/v1/guest', expect.objectContaining({ credentials: 'omit', headers: { Accept: 'application/json', Authorization: 'Bearer T' } }))
  })

  it('without a body sends none, and takes an answer without one', async () => {
    const fetched = answer(204, undefined)
    expect(await request('DELETE', '/session')).toBeUndefined()
    expect(fetched).toHaveBeenCalledWith('/api/v1/session', expect.not.objectContaining({ body: expect.anything() as unknown }))
  })

  it('that the server refuses throws its problem, with the time to wait', async () => {
    answer(429, { type: 'urn:aparte:problem:too-many' }, { 'Retry-After': '7' })
    await expect(request('POST', '/x', { body: {} })).rejects.toMatchObject({ code: 'too-many', retryAfter: 7 })
  })

  it('without a network is a problem too', async () => {
    vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new TypeError('Failed to fetch'))))
    const error: unknown = await request('GET', '/x').catch((caught: unknown) => caught)
    expect(isProblem(error, 'offline')).toBe(true)
  })
})
