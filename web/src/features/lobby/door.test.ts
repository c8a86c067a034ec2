import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, Store, type HostView, type Knock } from '@/api'
import { Door, undoFor } from './door'

const knock = (id: string, more: Partial<Knock> = {}): Knock => ({ id, since: id, status: 'waiting', name: id, link: { id: 'l', label: '', kind: 'shared', pin: false }, name_differs: false, name_suspicious: false, removed: false, bound: true, pin_passed: false, ...more })

function setUp(...knocks: Knock[]) {
  const view = new Store<HostView>({ meeting: null, knocks, participants: [], seq: 1 })
  const learn = (changed: Knock) => view.update((before) => ({ ...before, knocks: before.knocks.map((one) => (one.id === changed.id ? changed : one)) }))
  const settle = (status: Knock['status']) => (_: string, id: string) => Promise.resolve(knock(id, { status }))
  const calls = {
    admit: vi.fn(settle('admitted')),
    deny: vi.fn<(meeting: string, id: string, keepalive?: boolean) => Promise<Knock>>(settle('denied')),
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
    expect(calls.deny).toHaveBeenCalledExactlyOnceWith('m', 'a', false)
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
    expect(calls.deny).toHaveBeenCalledExactlyOnceWith('m', 'a', true)
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
})
