import { describe, expect, it, vi } from 'vitest'
import { Chat, longestMessage } from './chat'

const me = { identity: 'me', name: 'Moi', self: true }
const other = { identity: 'p', name: 'Paul', self: false }

describe('the chat', () => {
  it('keeps a message that failed, with its text, and sends it again', async () => {
    const transmit = vi.fn<(text: string) => Promise<void>>().mockRejectedValueOnce(new Error('gone')).mockResolvedValue()
    const chat = new Chat(transmit, () => me)
    chat.write('  bonjour ')
    await chat.send()
    expect(chat.state.get()).toMatchObject({ draft: '', messages: [{ text: 'bonjour', state: 'failed' }] })
    await chat.again(chat.state.get().messages[0]?.id ?? '')
    expect(chat.state.get().messages).toMatchObject([{ text: 'bonjour', state: 'sent' }])
  })

  it('sends nothing that is empty', async () => {
    const transmit = vi.fn(() => Promise.resolve())
    const chat = new Chat(transmit, () => me)
    chat.write(' \n ')
    await chat.send()
    expect(transmit).not.toHaveBeenCalled()
  })

  it('counts what was not seen, once per message', () => {
    const chat = new Chat(() => Promise.resolve(), () => me)
    chat.receive({ id: '1', from: other, text: 'a', at: 1 })
    chat.receive({ id: '1', from: other, text: 'a', at: 1 })
    expect(chat.state.get()).toMatchObject({ unread: 1, messages: [{ id: '1' }] })
    chat.show(true)
    chat.receive({ id: '2', from: other, text: 'b', at: 2 })
    expect(chat.state.get().unread).toBe(0)
    chat.show(false)
    chat.receive({ id: '3', from: other, text: 'c', at: 3 })
    expect(chat.state.get().unread).toBe(1)
  })

  it('cuts what a stranger sends too long, and forgets the oldest', () => {
    const chat = new Chat(() => Promise.resolve(), () => me)
    chat.receive({ id: 'long', from: other, text: 'x'.repeat(longestMessage * 3), at: 1 })
    expect(chat.state.get().messages[0]?.text).toHaveLength(longestMessage)
    for (let i = 0; i < 600; i++) chat.receive({ id: `m${i}`, from: other, text: 'x', at: i })
    expect(chat.state.get().messages).toHaveLength(500)
  })
})
