import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backOff, LiveSocket, type Network, type SocketLike } from './socket'

class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null
  onmessage: ((event: { data: unknown }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  sent: unknown[] = []
  closed = false
  send(data: string) {
    this.sent.push(JSON.parse(data))
  }
  close() {
    this.closed = true
  }
}

function connect(network?: Network) {
  const sockets: FakeSocket[] = []
  const got: unknown[] = []
  const live = new LiveSocket({
    open: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket
    },
    greet: (send) => send({ session: 'S' }),
    onMessage: (message) => got.push(message),
    random: () => 0,
    ...(network ? { network } : {}),
  })
  live.start()
  const last = () => {
    const socket = sockets.at(-1)
    if (!socket) throw new Error('nothing was opened')
    return socket
  }
  return { live, sockets, got, last }
}

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

describe('a live socket', () => {
  it('greets first, and is open only once the server has spoken', () => {
    const { live, last, got } = connect()
    last().onopen?.()
    expect(last().sent).toEqual([{ session: 'S' }])
    expect(live.state.get().is).toBe('connecting')
    last().onmessage?.({ data: '{"type":"state"}' })
    expect(live.state.get().is).toBe('open')
    expect(got).toEqual([{ type: 'state' }])
  })

  it('comes back by itself with growing pauses, and tells since when it is away', () => {
    const { live, sockets, last } = connect()
    last().onmessage?.({ data: '{}' })
    const began = Date.now()
    for (const pause of [500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
      last().onclose?.({ code: 1006 })
      expect(live.state.get()).toEqual({ is: 'lost', since: began, retryAt: Date.now() + pause })
      const before = sockets.length
      vi.advanceTimersByTime(pause - 1)
      expect(sockets).toHaveLength(before)
      vi.advanceTimersByTime(1)
      expect(sockets).toHaveLength(before + 1)
    }
    last().onmessage?.({ data: '{}' })
    last().onclose?.({ code: 1006 })
    expect(live.state.get()).toMatchObject({ retryAt: Date.now() + 500 })
  })

  it('asks no more once it is refused', () => {
    const { live, sockets, last } = connect()
    last().onclose?.({ code: 4401 })
    expect(live.state.get().is).toBe('refused')
    vi.advanceTimersByTime(60_000)
    expect(sockets).toHaveLength(1)
  })

  it('follows the network: gone at once, back at once', () => {
    let back = (): void => undefined
    let gone = (): void => undefined
    const unwatch = vi.fn()
    const { live, sockets, last } = connect({ watch: (onBack, onGone) => ((back = onBack), (gone = onGone), unwatch) })
    last().onmessage?.({ data: '{}' })
    gone()
    expect(live.state.get().is).toBe('lost')
    expect(last().closed).toBe(true)
    back()
    expect(sockets).toHaveLength(2)
    live.close()
    expect(unwatch).toHaveBeenCalledOnce()
    vi.advanceTimersByTime(60_000)
    expect(sockets).toHaveLength(2)
  })

  it('sends only while open', () => {
    const { live, last } = connect()
    expect(live.send({ type: 'seen' })).toBe(false)
    last().onmessage?.({ data: '{}' })
    expect(live.send({ type: 'seen' })).toBe(true)
    expect(last().sent).toContainEqual({ type: 'seen' })
  })
})

describe('back-off', () => {
  it('never passes ten seconds and never goes below four fifths', () => {
    for (let attempt = 0; attempt < 40; attempt++) {
      expect(backOff(attempt, () => 0)).toBeLessThanOrEqual(10_000)
      expect(backOff(attempt, () => 1)).toBeGreaterThanOrEqual(0.8 * Math.min(10_000, 500))
    }
  })
})
