import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { newSecret, pinKey, pinProof, Problem, Store, type GuestChannel, type GuestView, type KeptKey, type SocketState } from '@/api'
import { BrowserKeys, holds, knockStatement, returnStatement, type Proof } from '@/api/binding'
import type { KeyShelf } from '@/api/keys'
import { GuestVisit, type Keep, type Visit } from './visit'

const view = (status: GuestView['status'], more: Partial<GuestView> = {}): GuestView => ({
  meeting: { title: 'T', organiser: 'Anne', time_zone: 'UTC', state: 'open', profile: 'standard', profile_name: { fr: 'Standard', en: 'Standard' }, sentence: { fr: 'Une phrase.', en: 'A sentence.' }, keep_chat_days: 0, locked: false, recording: 'none' }, link: { kind: 'shared', pin: false, expires_at: '2030-01-01T00:00:00Z' }, host_knows: false, host_present: false, host_watching: false, recognised_by: 'tab', binding: { session: 'I', challenge: 'C', bound: false }, status,
  knock: status === 'entry' ? null : { status: 'waiting', since: '2026-01-01T10:00:00Z', name: 'Maria', sent_back: false, messages: [] }, ...more,
})

interface Call { method: string; path: string; body: unknown; bearer: string | null }

/** A browser that keeps keys, or none. */
function browser(keeps = true): { keys: BrowserKeys; kept: Map<string, KeptKey> } {
  const kept = new Map<string, KeptKey>()
  const shelf: KeyShelf = {
    get: (id) => Promise.resolve(kept.get(id) ?? null),
    keep: (id, made) => (keeps ? Promise.resolve(kept.get(id) ?? (kept.set(id, made), made)) : Promise.reject(new Error('private'))),
  }
  return { keys: new BrowserKeys(shelf), kept }
}

function setUp(answers: Record<string, unknown>, kept: { secret?: string; session?: string; left?: boolean } = {}, keys: BrowserKeys = browser(false).keys, arrives: Promise<unknown> = Promise.resolve()) {
  const calls: Call[] = []
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const path = url.replace('/api/v1', '')
    const headers = new Headers(init.headers)
    calls.push({ method: init.method ?? '', path, body: typeof init.body === 'string' ? JSON.parse(init.body) : null, bearer: headers.get('Authorization') })
    const found = answers[path]
    const answer: unknown = Array.isArray(found) ? (found.length > 1 ? found.shift() : found[0]) : found
    if (answer instanceof Problem) return Promise.resolve(new Response(JSON.stringify({ type: `urn:aparte:problem:${answer.code}` }), { status: answer.status }))
    return Promise.resolve(new Response(JSON.stringify(answer)))
  })
  const memory = { secret: kept.secret ?? null, session: kept.session ?? null, pinKey: null as string | null, left: kept.left ?? false }
  const keep: Keep = {
    secret: () => memory.secret,
    session: () => memory.session,
    pinKey: () => memory.pinKey,
    left: () => memory.left,
    redeemed: (session, pinKey) => Object.assign(memory, { session, pinKey, secret: null }),
    setLeft: (left) => Object.assign(memory, { left }),
    forget: () => Object.assign(memory, { session: null, left: false }),
  }
  const line = new Store<SocketState>({ is: 'connecting' })
  const channel = { connection: line, start: vi.fn(), close: vi.fn(), retryNow: vi.fn() }
  let push: (view: GuestView) => void = () => undefined
  const visit = new GuestVisit('LINK', keep, keys, async (_, onView) => {
    push = onView
    await arrives
    return channel as unknown as GuestChannel
  })
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
    await vi.waitFor(() => expect(channel.start).toHaveBeenCalledOnce(), 30_000)
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

  it('does not mistake a visit by an older secret of the link for this one', async () => {
    const { visit, now } = setUp({ '/guest/redeem': new Problem('link-in-use', 409, ''), '/guest': view('revoked') }, { secret: newSecret(), session: 'S' })
    await visit.start()
    expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-in-use' } })
  })

  it('opens no live channel that comes when it is not wanted any more', async () => {
    let come: () => void = () => undefined
    const arrives = new Promise<undefined>((resolve) => (come = () => resolve(undefined)))
    const { visit, channel } = setUp({ '/guest': view('waiting') }, { session: 'S' }, undefined, arrives)
    await visit.start()
    visit.dispose()
    await visit.start()
    come()
    await vi.waitFor(() => expect(channel.start).toHaveBeenCalled(), 30_000)
    await Promise.resolve()
    expect(channel.start).toHaveBeenCalledOnce()
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

  it('goes to the lobby when a host has sent the guest back there, and is never told of a removal', async () => {
    const answers: Record<string, unknown> = { '/guest': view('admitted') }
    const { visit, now } = setUp(answers, { session: 'S' })
    await visit.start()
    const ends: unknown[] = []
    visit.state.subscribe(() => ends.push(now().at === 'guest' && 'ended' in now() ? (now() as { ended: unknown }).ended : null))
    answers['/guest'] = view('waiting')
    await visit.callOver('removed')
    expect(now()).toMatchObject({ view: { status: 'waiting' }, ended: null })
    expect(ends).toEqual([null])
  })

  it('believes a removal when the server cannot be asked', async () => {
    const answers: Record<string, unknown> = { '/guest': view('admitted') }
    const { visit, now } = setUp(answers, { session: 'S' })
    await visit.start()
    answers['/guest'] = new Problem('unavailable', 503, '')
    await visit.callOver('removed')
    expect(now()).toMatchObject({ ended: 'removed' })
  })

  it.each(['denied', 'banned'])('shows the own page of a %s tab in which the link is opened again', async (status) => {
    const { visit, now } = setUp({ '/guest/redeem': new Problem(status, 403, ''), '/guest': view(status as GuestView['status']) }, { secret: newSecret(), session: 'S' })
    await visit.start()
    expect(now()).toMatchObject({ at: 'guest', view: { status } })
  })

  it('keeps what was typed when a reply does not arrive', async () => {
    const { visit, now } = setUp({ '/guest': view('waiting'), '/guest/messages': new Problem('too-many', 429, '') }, { session: 'S' })
    await visit.start()
    await expect(visit.reply('Bonjour')).rejects.toMatchObject({ code: 'too-many' })
    expect(now()).toMatchObject({ at: 'guest', view: { status: 'waiting' } })
  })

  it('asks the server when the live channel will not have it any more', async () => {
    const answers: Record<string, unknown> = { '/guest': view('waiting') }
    const { visit, now, line } = setUp(answers, { session: 'S' })
    await visit.start()
    answers['/guest'] = new Problem('link-revoked', 410, '')
    line.set({ is: 'refused' })
    await vi.waitFor(() => expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-revoked' } }), 30_000)
  })

  const bodies = (calls: Call[], path: string) => calls.filter((call) => call.path === path).map((call) => call.body as { proof?: Proof & { challenge: string }; pin?: string })

  it('makes a key at the first knock, never at opening, and proves it for this session', async () => {
    const { keys, kept } = browser()
    const { visit, calls } = setUp({ '/guest/redeem': { session: 'S', guest: view('entry') }, '/guest/knock': view('waiting') }, { secret: newSecret() }, keys)
    await visit.start()
    expect(kept.size).toBe(0)
    await visit.knock('Maria', '')
    const [knocked] = bodies(calls, '/guest/knock')
    expect(knocked?.proof?.public_key).toBe(kept.get('LINK')?.publicKey)
    expect(knocked?.proof && (await holds(knocked.proof, knockStatement('LINK', 'I', 'C')))).toBe(true)
  })

  it('knocks without a proof where the browser keeps no key', async () => {
    const { visit, calls, now } = setUp({ '/guest/redeem': { session: 'S', guest: view('entry') }, '/guest/knock': view('waiting') }, { secret: newSecret() })
    await visit.start()
    await visit.knock('Maria', '')
    expect(bodies(calls, '/guest/knock')).toEqual([{ name: 'Maria' }])
    expect(now()).toMatchObject({ view: { status: 'waiting' } })
  })

  it('comes back by its key when the link is opened again', async () => {
    const { keys } = browser()
    await keys.findOrMake('LINK')
    const { visit, calls, now } = setUp({ '/guest/challenge': { challenge: 'X' }, '/guest/redeem': { session: 'S', guest: view('waiting') } }, { secret: newSecret() }, keys)
    await visit.start()
    const [redeemed] = bodies(calls, '/guest/redeem')
    expect(redeemed?.proof?.challenge).toBe('X')
    expect(redeemed?.proof && (await holds(redeemed.proof, returnStatement('LINK', 'X')))).toBe(true)
    expect(now()).toMatchObject({ view: { status: 'waiting' } })
  })

  it('asks for another challenge when the first holds no more, and then does without', async () => {
    const { keys } = browser()
    await keys.findOrMake('LINK')
    const refused = new Problem('proof-invalid', 403, '')
    const { visit, calls, now } = setUp(
      { '/guest/challenge': { challenge: 'X' }, '/guest/redeem': [refused, refused, { session: 'S', guest: view('entry') }] }, { secret: newSecret() }, keys,
    )
    await visit.start()
    expect(bodies(calls, '/guest/redeem').map((body) => body.proof !== undefined)).toEqual([true, true, false])
    expect(now()).toMatchObject({ view: { status: 'entry' } })
  })

  it('signs anew when another tab has changed what there is to sign', async () => {
    const changed = view('entry', { binding: { session: 'I2', challenge: 'C2', bound: true } })
    const { visit, calls } = setUp(
      { '/guest/redeem': { session: 'S', guest: view('entry') }, '/guest': changed, '/guest/knock': [new Problem('proof-invalid', 403, ''), view('waiting')] },
      { secret: newSecret() }, browser().keys,
    )
    await visit.start()
    await visit.knock('Maria', '')
    const last = bodies(calls, '/guest/knock').at(-1)?.proof
    expect(last && (await holds(last, knockStatement('LINK', 'I2', 'C2')))).toBe(true)
  })

  it('is told that the link is in use elsewhere', async () => {
    const { visit, now } = setUp({ '/guest/redeem': new Problem('link-in-use', 409, '') }, { secret: newSecret() })
    await visit.start()
    expect(now()).toMatchObject({ at: 'refused', problem: { code: 'link-in-use' } })
  })

  it('proves a PIN without sending it, also after a reload, and leaves a wrong one to the form', async () => {
    const secret = newSecret()
    const asked = view('entry', { link: { kind: 'shared', pin: true, expires_at: '2030-01-01T00:00:00Z' } })
    const { visit, calls, memory } = setUp({ '/guest/redeem': { session: 'S', guest: asked }, '/guest/knock': new Problem('pin-wrong', 403, '') }, { secret })
    await visit.start()
    expect(memory.pinKey).toBe(await pinKey(secret))
    await expect(visit.knock('Maria', '', '482915')).rejects.toMatchObject({ code: 'pin-wrong' })
    expect(bodies(calls, '/guest/knock')[0]?.pin).toBe(await pinProof((await pinKey(secret)) ?? '', '482915'))
    expect(JSON.stringify(calls)).not.toContain('482915')
  })
})
