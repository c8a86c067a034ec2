import { describe, expect, it } from 'vitest'
import { applyHostMessage, HostChannel, type HostView } from './channels'
import type { SocketLike } from './socket'
import type { Knock, Meeting } from './types'

const meeting = { id: 'm', title: 'T' } as Meeting
const knock = (id: string, since: string, status: Knock['status'] = 'waiting'): Knock => ({ id, since, status, name: id, link: { id: 'l', label: '', kind: 'shared', pin: false }, name_differs: false, name_suspicious: false, removed: false, bound: true, pin_passed: false })
const empty: HostView = { meeting: null, knocks: [], participants: [], seq: 0 }

describe("a host's view", () => {
  it('is in order of arrival, whatever the order of messages', () => {
    let view = applyHostMessage(empty, { type: 'snapshot', seq: 1, meeting, knocks: [knock('b', '2026-01-01T10:01:00Z'), knock('a', '2026-01-01T10:00:00Z')] })
    view = applyHostMessage(view, { type: 'knock', seq: 2, knock: knock('c', '2026-01-01T10:00:30Z') })
    expect(view.knocks.map(({ id }) => id)).toEqual(['a', 'c', 'b'])
    expect(view.seq).toBe(2)
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
