import { describe, expect, it, vi } from 'vitest'
import type { CallMessage } from '@/api'
import { Chat, everyone, longestMessage } from './chat'

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
