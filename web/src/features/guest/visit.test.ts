import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newSecret, Problem, Store, type GuestChannel, type GuestView, type SocketState } from '@/api'
import { GuestVisit, type Keep, type Visit } from './visit'

const view = (status: GuestView['status'], more: Partial<GuestView> = {}): GuestView => ({
  meeting: { title: 'T', organiser: 'Anne', state: 'open', profile: 'standard' }, link: { kind: 'shared' }, host_knows: false, host_present: false, status,
  knock: status === 'entry' ? null : { status: 'waiting', since: '2026-01-01T10:00:00Z', name: 'Maria' }, ...more,
})

interface Call { method: string; path: string; body: unknown; bearer: string | null }

function setUp(answers: Record<string, unknown>, kept: { secret?: string; session?: string; left?: boolean } = {}) {
  const calls: Call[] = []
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const path = url.replace('/api/v1', '')
    const headers = new Headers(init.headers)
    calls.push({ method: init.method ?? '', path, body: typeof init.body === 'string' ? JSON.parse(init.body) : null, bearer: headers.get('Authorization') })
    const answer = answers[path]
    if (answer instanceof Problem) return Promise.resolve(new Response(JSON.stringify({ type: `urn:aparte:problem:${answer.code}` }), { status: answer.status }))
    return Promise.resolve(new Response(JSON.stringify(answer)))
  })
  const memory = { secret: kept.secret ?? null, session: kept.session ?? null, left: kept.left ?? false }
  const keep: Keep = {
    secret: () => memory.secret,
    session: () => memory.session,
    left: () => memory.left,
    redeemed: (session) => Object.assign(memory, { session, secret: null }),
    setLeft: (left) => Object.assign(memory, { left }),
    forget: () => Object.assign(memory, { session: null, left: false }),
  }
  const line = new Store<SocketState>({ is: 'connecting' })
  const channel = { connection: line, start: vi.fn(), close: vi.fn(), retryNow: vi.fn() }
  let push: (view: GuestView) => void = () => undefined
  const visit = new GuestVisit('LINK', keep, (_, onView) => ((push = onView), channel as unknown as GuestChannel))
  return { visit, calls, memory, line, channel, push: (pushed: GuestView) => push(pushed), now: (): Visit => visit.state.get() }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe("a guest's visit", () => {
  it('redeems once, by POST, with the code and never the secret, and then forgets the secret', async () => {
    const secret = newSecret()
    const { visit, calls, memory, now, channel } = setUp({ '/guest/redeem': { session: 'S', guest: view('entry') } }, { secret })
    await visit.start()
    expect(now()).toMatchObject({ at: 'guest', view: { status: 'entry' } })
    expect(memory).toMatchObject({ secret: null, session: 'S' })
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ method: 'POST', path: '/guest/redeem', body: { link_id: 'LINK' } })
    expect(JSON.stringify(calls)).not.toContain(secret)
    expect(channel.start).not.toHaveBeenCalled()
  })

  it('is back in place after a reload, without redeeming or knocking again', async () => {
    const { visit, calls, now, channel } = setUp({ '/guest': view('waiting') }, { session: 'S' })
    await visit.start()
    expect(calls.map(({ method, path, bearer }) => [method, path, bearer])).toEqual([['GET', '/guest', 'Bearer S']])
    expect(now()).toMatchObject({ at: 'guest', view: { status: 'waiting' }, ended: null })
    expect(channel.start).toHaveBeenCalledOnce()
  })

  it.each([['AAAA'], ['']])('shows a damaged secret (%j) as an unknown link, without asking the server', async (secret) => {
    const { visit, calls, now } = setUp({}, { secret })
    await visit.start()
    expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-unknown' } })
    expect(calls).toHaveLength(0)
  })

  it('shows a link without a secret as an unknown link', async () => {
    const { visit, now } = setUp({})
    await visit.start()
    expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-unknown' } })
  })

  it('keeps the session of before when the same link is opened again in the same tab', async () => {
    const { visit, now } = setUp({ '/guest/redeem': new Problem('link-in-use', 409, ''), '/guest': view('waiting') }, { secret: newSecret(), session: 'S' })
    await visit.start()
    expect(now()).toMatchObject({ at: 'guest', view: { status: 'waiting' } })
  })

  it('follows every change the live channel tells', async () => {
    const { visit, push, now } = setUp({ '/guest': view('waiting') }, { session: 'S' })
    await visit.start()
    for (const status of ['admitted', 'removed', 'entry', 'waiting', 'denied', 'ended', 'revoked', 'expired'] as const) {
      push(view(status))
      expect(now()).toMatchObject({ at: 'guest', view: { status } })
    }
  })

  it('is not set back by the answer to a knock that the live channel overtook', async () => {
    const { visit, push, now, line } = setUp({ '/guest': view('waiting'), '/guest/knock': view('waiting', { host_knows: false }) }, { session: 'S' })
    await visit.start()
    line.set({ is: 'open' })
    push(view('waiting', { host_knows: true }))
    await visit.knock('Maria', '')
    expect(now()).toMatchObject({ view: { host_knows: true } })
  })

  it('leaves what was typed to the form when a field is at fault or the network is gone', async () => {
    const { visit, now } = setUp({ '/guest/redeem': { session: 'S', guest: view('entry') }, '/guest/knock': new Problem('invalid', 422, '') }, { secret: newSecret() })
    await visit.start()
    await expect(visit.knock('x', '')).rejects.toMatchObject({ code: 'invalid' })
    expect(now()).toMatchObject({ at: 'guest', view: { status: 'entry' } })
  })

  it('after leaving stays out over a reload, until the guest comes back', async () => {
    const { visit, memory, now } = setUp({ '/guest': view('admitted') }, { session: 'S' })
    await visit.start()
    await visit.callOver('left')
    expect(now()).toMatchObject({ ended: 'left' })
    expect(memory.left).toBe(true)
    visit.comeBack()
    expect(now()).toMatchObject({ ended: null })
    expect(memory.left).toBe(false)
  })

  it('asks the server why the call ended', async () => {
    const answers: Record<string, unknown> = { '/guest': view('admitted') }
    const { visit, now } = setUp(answers, { session: 'S' })
    await visit.start()
    answers['/guest'] = view('revoked')
    await visit.callOver('removed')
    expect(now()).toMatchObject({ view: { status: 'revoked' }, ended: null })
  })

  it('asks the server when the live channel will not have it any more', async () => {
    const answers: Record<string, unknown> = { '/guest': view('waiting') }
    const { visit, now, line } = setUp(answers, { session: 'S' })
    await visit.start()
    answers['/guest'] = new Problem('link-revoked', 410, '')
    line.set({ is: 'refused' })
    await vi.waitFor(() => expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-revoked' } }))
  })
})
