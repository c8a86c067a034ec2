import { describe, expect, it } from 'vitest'
import { applyHostMessage, HostChannel, type HostView } from './agentChannels'
import type { SocketLike } from './socket'
import type { Knock, Meeting } from './types'

const meeting = { id: 'm', title: 'T' } as Meeting
const knock = (id: string, since: string, status: Knock['status'] = 'waiting'): Knock => ({ id, since, status, name: id, link: { id: 'l', label: '', kind: 'shared', role: 'guest', pin: false }, name_differs: false, name_suspicious: false, removed: false, messages: [], banned: false, sent_back: false, known_by: 'tab', bound: false, pin_passed: false })
const empty: HostView = { meeting: null, knocks: [], participants: [], seq: 0 }

describe("a host's view", () => {
  it('is in order of arrival, whatever the order of messages', () => {
    let view = applyHostMessage(empty, { type: 'snapshot', seq: 1, meeting, knocks: [knock('b', '2026-01-01T10:01:00Z'), knock('a', '2026-01-01T10:00:00Z')] })
    view = applyHostMessage(view, { type: 'knock', seq: 2, knock: knock('c', '2026-01-01T10:00:30Z') })
    expect(view.knocks.map(({ id }) => id)).toEqual(['a', 'c', 'b'])
    expect(view.seq).toBe(2)
  })

  it('is ordered by the time, not by its text', () => {
    const view = applyHostMessage(empty, { type: 'snapshot', seq: 1, meeting, knocks: [knock('b', '2026-01-01T10:00:00.12Z'), knock('a', '2026-01-01T10:00:00.1Z')] })
    expect(view.knocks.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  it('replaces a knock that changes', () => {
    const one = applyHostMessage(empty, { type: 'knock', seq: 1, knock: knock('a', '1') })
    const two = applyHostMessage(one, { type: 'knock', seq: 2, knock: knock('a', '1', 'admitted') })
    expect(two.knocks).toHaveLength(1)
    expect(two.knocks[0]?.status).toBe('admitted')
  })

  it('starts afresh with each snapshot', () => {
    const one = applyHostMessage(empty, { type: 'knock', seq: 5, knock: knock('a', '1') })
    expect(applyHostMessage(one, { type: 'snapshot', seq: 1, meeting })).toEqual({ meeting, knocks: [], participants: [], seq: 1 })
  })

  it('lets a newer server say more', () => {
    expect(applyHostMessage(empty, { type: 'later' } as never)).toBe(empty)
  })
})

describe("the host's channel", () => {
  it('keeps the newer thread when the answer to a message is overtaken by the guest’s', () => {
    const socket: SocketLike = { onopen: null, onmessage: null, onclose: null, send: () => undefined, close: () => undefined }
    const channel = new HostChannel('m', () => socket, { watch: () => () => undefined })
    const said = (seq: number) => ({ seq, by_host: seq === 1, by_name: '', text: String(seq), at: '' })
    channel.start()
    socket.onmessage?.({ data: JSON.stringify({ type: 'snapshot', seq: 1, meeting, knocks: [{ ...knock('a', '2026-01-01T10:00:00Z'), messages: [said(1), said(2)] }], participants: [] }) })
    channel.learn({ ...knock('a', '2026-01-01T10:00:00Z'), messages: [said(1)] })
    expect(channel.view.get().knocks[0]?.messages).toHaveLength(2)
    channel.learn({ ...knock('a', '2026-01-01T10:00:00Z'), messages: [said(1), said(2), said(3)] })
    expect(channel.view.get().knocks[0]?.messages).toHaveLength(3)
    channel.close()
  })

  it('says once per message that a person has seen it, and again after a reconnection', () => {
    const sent: unknown[] = []
    const socket: SocketLike = { onopen: null, onmessage: null, onclose: null, send: (data) => sent.push(JSON.parse(data)), close: () => undefined }
    const channel = new HostChannel('m', () => socket, { watch: () => () => undefined })
    channel.start()
    socket.onopen?.()
    channel.seen()
    expect(sent).toEqual([])
    socket.onmessage?.({ data: JSON.stringify({ type: 'snapshot', seq: 1, meeting, knocks: [], participants: [] }) })
    channel.seen()
    channel.seen()
    expect(sent).toEqual([{ type: 'seen', seq: 1 }])
    socket.onopen?.()
    channel.seen()
    expect(sent).toHaveLength(2)
    channel.close()
  })
})
