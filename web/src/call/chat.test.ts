import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, type CallMessage } from '@/api'
import { Chat, everyone, longestMessage } from './chat'
import { draftsIn } from './drafts'

const me = { identity: 'me', name: 'Moi', self: true }
const said = (seq: number, more: Partial<CallMessage> = {}): CallMessage => ({ seq, from: 'p', from_name: 'Paul', to: 'everyone', text: `m${seq}`, at: '2027-03-02T09:00:00Z', ...more })
const texts = (chat: Chat) => chat.state.get().messages.map(({ text }) => text)

function setUp() {
  const transmit = vi.fn<(text: string, to: string) => Promise<CallMessage>>()
  return { transmit, chat: new Chat(transmit, () => me) }
}

describe('the chat', () => {
  it('keeps a message that failed, with its text and its reader, and sends it again', async () => {
    const { chat, transmit } = setUp()
    transmit.mockRejectedValueOnce(new Error('gone')).mockResolvedValue(said(4, { from: 'me', text: 'bonjour', to: 'hosts' }))
    chat.address({ id: 'hosts', name: '' })
    chat.write('  bonjour ')
    await chat.send()
    expect(chat.state.get()).toMatchObject({ draft: '', messages: [{ text: 'bonjour', to: 'hosts', state: 'failed' }] })
    chat.address(everyone)
    await chat.again(chat.state.get().messages[0]?.id ?? '')
    expect(transmit).toHaveBeenLastCalledWith('bonjour', 'hosts')
    expect(chat.state.get().messages).toMatchObject([{ text: 'bonjour', seq: 4, state: 'sent', from: { self: true } }])
  })

  it('sends nothing that is empty', async () => {
    const { chat, transmit } = setUp()
    chat.write(' \n ')
    await chat.send()
    expect(transmit).not.toHaveBeenCalled()
  })

  it('counts what was not seen, once per message', () => {
    const { chat } = setUp()
    chat.load([said(1)])
    expect(chat.state.get().unread).toBe(0)
    expect([chat.receive(said(2)), chat.receive(said(2))]).toEqual([true, false])
    expect(chat.state.get().unread).toBe(1)
    chat.show(true)
    chat.receive(said(3))
    expect(chat.state.get().unread).toBe(0)
    chat.show(false)
    chat.load([said(1), said(2), said(3), said(4)])
    expect(chat.state.get().unread).toBe(1)
    expect(texts(chat)).toEqual(['m1', 'm2', 'm3', 'm4'])
  })

  it('stands in the server’s order whatever comes first, its own messages once', async () => {
    const { chat, transmit } = setUp()
    transmit.mockResolvedValue(said(2, { from: 'me', text: 'mine' }))
    chat.write('mine')
    const sent = chat.send()
    chat.receive(said(3))
    expect(chat.receive(said(2, { from: 'me', text: 'mine' }))).toBe(false)
    await sent
    chat.receive(said(1))
    expect(texts(chat)).toEqual(['m1', 'mine', 'm3'])
  })

  it('shows what became of a file, whoever sent it and however it is told', () => {
    const { chat } = setUp()
    const file = { id: 'f', name: 'note.pdf', kind: 'pdf', type: '', size: 4, outside: false, risky: false, suspicious: false, deleted: false }
    const gone = { ...file, name: '', kind: '', size: 0, deleted: true }
    chat.take(said(1, { from: 'me', text: '', file }))
    chat.receive(said(2, { text: '', file }))
    expect(chat.state.get()).toMatchObject({ unread: 1, messages: [{ file }, { file }] })
    expect(chat.receive(said(1, { from: 'me', text: '', file: gone }))).toBe(false)
    chat.load([said(1, { from: 'me', text: '', file: gone }), said(2, { text: '', file: gone })])
    expect(chat.state.get()).toMatchObject({ unread: 1, messages: [{ seq: 1, file: gone }, { seq: 2, file: gone }] })
  })

  it('keeps the draft within what the server takes', () => {
    const { chat } = setUp()
    for (const letter of ['a', 'é', '漢', '👍']) {
      chat.write(letter.repeat(longestMessage))
      expect(new TextEncoder().encode(chat.state.get().draft).length, letter).toBe(letter === '漢' ? 4095 : 4096)
    }
  })
})

describe('what is written while the server is out of reach', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())
  const offline = new Problem('offline', 0, '')
  const states = (chat: Chat) => chat.state.get().messages.map(({ text, state }) => `${text} ${state}`)
  const write = async (chat: Chat, text: string) => {
    chat.write(text)
    await chat.send()
  }

  it('waits in order and goes once the server is back', async () => {
    const { chat, transmit } = setUp()
    transmit.mockRejectedValueOnce(offline).mockRejectedValueOnce(offline)
    await write(chat, 'one')
    await write(chat, 'two')
    expect(states(chat)).toEqual(['one queued', 'two queued'])
    transmit.mockImplementation((text) => Promise.resolve(said(text === 'one' ? 5 : 6, { from: 'me', text })))
    chat.load([said(4)])
    await vi.advanceTimersByTimeAsync(0)
    expect(states(chat)).toEqual(['m4 sent', 'one sent', 'two sent'])
    expect(transmit.mock.calls.map(([text]) => text)).toEqual(['one', 'one', 'one', 'two'])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(transmit).toHaveBeenCalledTimes(4)
  })

  it('is tried again even when nothing says that the server is back', async () => {
    const { chat, transmit } = setUp()
    transmit.mockRejectedValueOnce(offline).mockRejectedValueOnce(offline).mockResolvedValue(said(1, { from: 'me', text: 'one' }))
    await write(chat, 'one')
    await vi.advanceTimersByTimeAsync(5_000)
    expect(states(chat)).toEqual(['one queued'])
    await vi.advanceTimersByTimeAsync(5_000)
    expect(states(chat)).toEqual(['one sent'])
  })

  it('is not sent twice where only the answer was lost, and the same words of before are no answer', async () => {
    const { chat, transmit } = setUp()
    chat.load([said(1, { from: 'me', text: 'yes' })])
    transmit.mockRejectedValue(offline)
    await write(chat, 'yes')
    chat.load([said(1, { from: 'me', text: 'yes' })])
    await vi.advanceTimersByTimeAsync(0)
    expect(states(chat)).toEqual(['yes sent', 'yes queued'])
    const before = transmit.mock.calls.length
    chat.load([said(1, { from: 'me', text: 'yes' }), said(2, { from: 'me', text: 'yes' })])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(states(chat)).toEqual(['yes sent', 'yes sent'])
    expect(transmit).toHaveBeenCalledTimes(before)
  })

  it('is not sent twice either when the answer is given up after the return', async () => {
    const { chat, transmit } = setUp()
    let giveUp = (): void => undefined
    transmit.mockImplementationOnce(() => new Promise((_, fail) => (giveUp = () => fail(offline))))
    const sent = write(chat, 'one')
    chat.load([said(1, { from: 'me', text: 'one' })])
    giveUp()
    await sent
    await vi.advanceTimersByTimeAsync(60_000)
    expect(states(chat)).toEqual(['one sent'])
    expect(transmit).toHaveBeenCalledOnce()
  })

  it('leaves to the person what the server refuses, and the rest goes on', async () => {
    const { chat, transmit } = setUp()
    transmit.mockRejectedValueOnce(offline)
    await write(chat, 'one')
    transmit.mockRejectedValueOnce(new Problem('forbidden', 403, '')).mockResolvedValueOnce(said(1, { from: 'me', text: 'two' }))
    await write(chat, 'two')
    expect(states(chat)).toEqual(['two sent', 'one failed'])
  })

  it('survives a reload with its reader, as the draft does, until the call is over', async () => {
    const kept = new Map<string, string>()
    const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value), removeItem: (key: string) => void kept.delete(key) }
    const transmit = vi.fn<(text: string, to: string) => Promise<CallMessage>>().mockRejectedValue(offline)
    const open = () => new Chat(transmit, () => me, draftsIn(() => storage as unknown as Storage, 'k'))
    const before = open()
    before.address({ id: 'hosts', name: '' })
    await write(before, 'one')
    before.write('half a sen')
    const chat = open()
    expect(chat.state.get()).toMatchObject({ draft: 'half a sen', to: { id: 'hosts' }, messages: [{ text: 'one', to: 'hosts', state: 'queued' }] })
    transmit.mockResolvedValue(said(1, { from: 'me', text: 'one', to: 'hosts' }))
    chat.load([])
    await vi.advanceTimersByTimeAsync(0)
    expect(transmit).toHaveBeenLastCalledWith('one', 'hosts')
    expect(open().state.get()).toMatchObject({ draft: 'half a sen', messages: [] })
    chat.close(true)
    expect(open().state.get().draft).toBe('half a sen')
    chat.close(false)
    expect(kept.size).toBe(0)
    for (const broken of ['{', '[]', '{"draft":1}', '{"draft":"","to":{"id":"x","name":""},"unsent":[{"text":1}]}']) {
      kept.set('k', broken)
      expect(open().state.get()).toMatchObject({ draft: '', messages: [] })
    }
  })
})
