import { describe, expect, it, vi } from 'vitest'
import { Problem, type CallFile, type CallMessage } from '@/api'
import type { FileCalls } from '@/api/files'
import { Files } from './files'

const file = (name: string) => Object.assign(new Blob([name]), { name })
const known = (id: string, name = id): CallFile => ({ id, name, kind: '', type: '', size: 1, outside: false, risky: false, suspicious: false, deleted: false })
const carrying = (id: string): CallMessage => ({ seq: 1, from: 'me', from_name: 'Moi', to: 'everyone', text: '', at: '2027-03-02T09:00:00Z', file: known(id) })

function setUp() {
  const calls = {
    announce: vi.fn<FileCalls['announce']>(({ name }) => Promise.resolve(known(`at-${name}`, name))),
    send: vi.fn<FileCalls['send']>((id) => Promise.resolve(carrying(id))),
    get: vi.fn<FileCalls['get']>(() => Promise.resolve(new Blob(['content']))),
    remove: vi.fn<FileCalls['remove']>(() => Promise.resolve()),
  }
  const arrived = vi.fn<(message: CallMessage) => void>()
  const waited: number[] = []
  const files = new Files(calls, arrived, (ms) => { waited.push(ms); return Promise.resolve() })
  const settled = () => vi.waitFor(() => expect(files.state.get().uploads.filter(({ state }) => state !== 'failed')).toEqual([]), 30_000)
  return { calls, arrived, waited, files, settled }
}

describe('files on their way', () => {
  it('go one after the other, each to whom it was meant for', async () => {
    const { calls, arrived, files, settled } = setUp()
    let first: (message: CallMessage) => void = () => undefined
    calls.send.mockImplementationOnce((_id, _body, progress) => { progress(2); return new Promise((resolve) => { first = resolve }) })
    files.send([file('a')], 'everyone')
    files.send([file('b')], 'p')
    await vi.waitFor(() => expect(files.state.get().uploads).toMatchObject([{ name: 'a', state: 'sending', sent: 2 }, { name: 'b', state: 'waiting' }]), 30_000)
    expect(calls.announce).toHaveBeenCalledTimes(1)
    first(carrying('at-a'))
    await settled()
    expect(calls.announce.mock.calls.map(([draft]) => [draft.name, draft.to])).toEqual([['a', 'everyone'], ['b', 'p']])
    expect(arrived).toHaveBeenCalledTimes(2)
  })

  it('stay with the reason where they are refused, and may go again', async () => {
    const { calls, arrived, files, settled } = setUp()
    calls.announce.mockRejectedValueOnce(new Problem('files-full', 409, 'full'))
    files.send([file('a'), file('b')], 'everyone')
    await settled()
    expect(files.state.get().uploads).toMatchObject([{ name: 'a', state: 'failed', error: { code: 'files-full' } }])
    expect(arrived).toHaveBeenCalledTimes(1)
    files.again(files.state.get().uploads[0]?.id ?? '')
    await settled()
    expect(files.state.get().uploads).toEqual([])
    expect(arrived).toHaveBeenCalledTimes(2)
  })

  it('wait where there are too many at once, but not for ever', async () => {
    const { calls, waited, files, settled } = setUp()
    const often = new Problem('too-many', 429, 'often', {}, {}, 3)
    calls.announce.mockRejectedValueOnce(often).mockRejectedValueOnce(often)
    files.send([file('a')], 'everyone')
    await settled()
    expect(waited).toEqual([3000, 3000])
    expect(files.state.get().uploads).toEqual([])
    calls.announce.mockRejectedValue(often)
    files.send([file('b')], 'everyone')
    await settled()
    expect(files.state.get().uploads).toMatchObject([{ name: 'b', state: 'failed' }])
  })

  it('are given up by a word: the request ends, and nobody is told of a failure', async () => {
    const { calls, arrived, files } = setUp()
    let signal: AbortSignal | undefined
    calls.send.mockImplementationOnce((_id, _body, _progress, given) => {
      signal = given
      return new Promise((_, reject) => given.addEventListener('abort', () => reject(new DOMException('cancelled', 'AbortError'))))
    })
    files.send([file('a')], 'everyone')
    await vi.waitFor(() => expect(signal).toBeDefined(), 30_000)
    files.cancel(files.state.get().uploads[0]?.id ?? '')
    expect(signal?.aborted).toBe(true)
    await Promise.resolve()
    expect(files.state.get().uploads).toEqual([])
    expect(arrived).not.toHaveBeenCalled()
    files.send([file('b')], 'everyone')
    await vi.waitFor(() => expect(arrived).toHaveBeenCalledTimes(1), 30_000)
  })

  it('end with the call', async () => {
    const { calls, files } = setUp()
    calls.send.mockImplementation((_id, _body, _progress, given) => new Promise((_, reject) => given.addEventListener('abort', () => reject(new Error('gone')))))
    files.send([file('a'), file('b')], 'everyone')
    await vi.waitFor(() => expect(calls.send).toHaveBeenCalledTimes(1), 30_000)
    files.close()
    await Promise.resolve()
    expect(calls.send.mock.calls[0]?.[3].aborted).toBe(true)
    expect(files.state.get().uploads).toEqual([])
  })
})

describe('files that came', () => {
  it('are fetched, once at a time, and tell why not', async () => {
    const { calls, files } = setUp()
    const [content, second] = await Promise.all([files.fetch(known('x')), files.fetch(known('x'))])
    expect(await content?.text()).toBe('content')
    expect(second).toBeNull()
    calls.get.mockRejectedValueOnce(new Problem('not-found', 404, 'gone'))
    expect(await files.fetch(known('x'))).toBeNull()
    expect(files.state.get()).toMatchObject({ fetching: [], error: { code: 'not-found' } })
    files.dismiss()
    calls.remove.mockRejectedValueOnce(new Problem('forbidden', 403, 'no'))
    await files.remove(known('x'))
    expect(files.state.get().error).toMatchObject({ code: 'forbidden' })
  })
})
