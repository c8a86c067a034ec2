import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, Store, type HostView, type Knock, type Permissions } from '@/api'
import { Door, found, undoFor } from './door'

const knock = (id: string, more: Partial<Knock> = {}): Knock => ({ id, since: '2027-03-02T10:00:00Z', status: 'waiting', name: id, link: { id: 'l', label: '', kind: 'shared', role: 'guest', pin: false }, name_differs: false, name_suspicious: false, removed: false, messages: [], banned: false, sent_back: false, known_by: 'tab', bound: false, pin_passed: false, ...more })

function setUp(...knocks: Knock[]) {
  const view = new Store<HostView>({ meeting: null, knocks, participants: [], seq: 1 })
  const learn = (changed: Knock) => view.update((before) => ({ ...before, knocks: before.knocks.map((one) => (one.id === changed.id ? changed : one)) }))
  const settle = (status: Knock['status']) => (_: string, id: string) => Promise.resolve(knock(id, { status }))
  const calls = {
    admit: vi.fn(settle('admitted')),
    deny: vi.fn<(meeting: string, id: string, message?: string, keepalive?: boolean) => Promise<Knock>>(settle('denied')),
    ban: vi.fn((_: string, id: string) => Promise.resolve(knock(id, { status: 'denied', banned: true }))),
    write: vi.fn((_: string, id: string, text: string) => Promise.resolve(knock(id, { messages: [{ seq: 1, by_host: true, by_name: 'Anne', text, at: '' }] }))),
    writeAll: vi.fn((_: string, text: string) => Promise.resolve({ knocks: view.get().knocks.map((one) => ({ ...one, messages: [{ seq: 1, by_host: true, by_name: 'Anne', text, at: '' }] })) })),
    sendBack: vi.fn((_: string, identity: string) => Promise.resolve(knock(identity.slice(2), { status: 'waiting', identity, sent_back: true }))),
    permit: vi.fn((_: string, identity: string, permissions: Permissions) => Promise.resolve(knock(identity.slice(2), { status: 'admitted', identity, permissions }))),
    lift: vi.fn(settle('expired')),
    admitAll: vi.fn((_: string, except: string[]) => Promise.resolve({ knocks: view.get().knocks.filter(({ id }) => !except.includes(id)).map((one) => ({ ...one, status: 'admitted' as const })) })),
  }
  const door = new Door('m', { view, learn }, calls)
  const ids = (which: 'waiting' | 'refused' | 'shut') => door.state.get()[which].map(({ id }) => id)
  return { door, calls, view, ids }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe("the host's door", () => {
  it('refuses only after the time to take it back', async () => {
    const { door, calls, ids } = setUp(knock('a'), knock('b'))
    const [a] = door.state.get().waiting
    if (!a) throw new Error('nobody waits')
    door.refuse(a)
    expect([ids('waiting'), ids('refused')]).toEqual([['b'], ['a']])
    await vi.advanceTimersByTimeAsync(undoFor - 1)
    expect(calls.deny).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(calls.deny).toHaveBeenCalledExactlyOnceWith('m', 'a', '', false)
    expect([ids('waiting'), ids('refused'), ids('shut')]).toEqual([['b'], [], ['a']])
  })

  it('takes a refusal back', async () => {
    const { door, calls, ids } = setUp(knock('a'))
    const [a] = door.state.get().waiting
    if (!a) throw new Error('nobody waits')
    door.refuse(a)
    door.undo(a)
    await vi.advanceTimersByTimeAsync(undoFor * 2)
    expect(calls.deny).not.toHaveBeenCalled()
    expect(ids('waiting')).toEqual(['a'])
  })

  it('sends a refusal at once when the page closes', () => {
    const { door, calls } = setUp(knock('a'))
    const [a] = door.state.get().waiting
    if (a) door.refuse(a)
    door.dispose()
    expect(calls.deny).toHaveBeenCalledExactlyOnceWith('m', 'a', '', true)
  })

  it('lets all in but doubtful names and those being refused', async () => {
    const { door, calls, ids } = setUp(knock('a'), knock('b', { name_differs: true }), knock('c', { name_suspicious: true }), knock('d'), knock('e'))
    const d = door.state.get().waiting[3]
    if (d) door.refuse(d)
    await door.admitAll()
    expect(calls.admitAll).toHaveBeenCalledExactlyOnceWith('m', ['b', 'c', 'd'])
    expect([ids('waiting'), ids('refused')]).toEqual([['b', 'c'], ['d']])
    door.dispose()
  })

  it('tells what the server refused, and leaves the person waiting', async () => {
    const { door, calls, ids } = setUp(knock('a'))
    calls.admit.mockRejectedValueOnce(new Problem('conflict', 409, ''))
    const [a] = door.state.get().waiting
    if (a) await door.admit(a)
    expect(door.state.get().error).toMatchObject({ code: 'conflict' })
    expect(door.state.get().busy.size).toBe(0)
    expect(ids('waiting')).toEqual(['a'])
  })

  it('lets a refused person ask again', async () => {
    const { door, ids } = setUp(knock('a', { status: 'denied' }))
    expect(ids('shut')).toEqual(['a'])
    const [a] = door.state.get().shut
    if (a) await door.lift(a)
    expect(ids('shut')).toEqual([])
  })

  it('refuses with the words that were meant for it', async () => {
    const { door, calls } = setUp(knock('a'))
    const [a] = door.state.get().waiting
    if (a) door.refuse(a, 'Demain plutôt')
    await vi.advanceTimersByTimeAsync(undoFor)
    expect(calls.deny).toHaveBeenCalledExactlyOnceWith('m', 'a', 'Demain plutôt', false)
  })

  it('lets in with fewer rights, and changes them in the call', async () => {
    const { door, calls, view } = setUp(knock('a'))
    const [a] = door.state.get().waiting
    if (a) await door.admit(a, { camera: false })
    expect(calls.admit).toHaveBeenCalledExactlyOnceWith('m', 'a', { camera: false })
    await door.permit('p_a', { speak: false })
    expect(view.get().knocks[0]?.permissions).toEqual({ speak: false })
    expect(door.admitted('p_a')?.id).toBe('a')
    expect(door.admitted('p_b')).toBeUndefined()
  })

  it('has somebody back from the call at once, and bans from wherever they are', async () => {
    const { door, ids } = setUp(knock('a', { status: 'admitted', identity: 'p_a' }), knock('b'))
    await door.sendBack('p_a')
    expect(ids('waiting')).toEqual(['a', 'b'])
    const [a] = door.state.get().waiting
    if (a) await door.ban(a)
    expect([ids('waiting'), ids('shut')]).toEqual([['b'], ['a']])
    expect(door.state.get().shut[0]?.banned).toBe(true)
  })

  it('writes to one and to all, and says when that failed', async () => {
    const { door, calls } = setUp(knock('a'), knock('b'))
    const [a] = door.state.get().waiting
    if (a) await door.write(a, 'Deux minutes')
    expect(door.state.get().waiting[0]?.messages[0]?.text).toBe('Deux minutes')
    await door.writeAll('Bonjour')
    expect(door.state.get().waiting.map(({ messages }) => messages[0]?.text)).toEqual(['Bonjour', 'Bonjour'])
    calls.write.mockRejectedValueOnce(new Problem('too-many', 429, ''))
    if (a) await expect(door.write(a, 'Encore')).rejects.toMatchObject({ code: 'too-many' })
  })
})

describe('the search among those who wait', () => {
  const all = [knock('Inês Duarte', { organisation: 'MNE' }), knock('Karim', { link: { id: 'l', label: 'Observateurs', kind: 'shared', role: 'guest', pin: false } })]
  it.each([['ines', ['Inês Duarte']], ['MNE duarte', ['Inês Duarte']], ['observ', ['Karim']], [' ', ['Inês Duarte', 'Karim']], ['nobody', []]])('%s', (search, names) => {
    expect(found(all, search).map(({ name }) => name)).toEqual(names)
  })
})
