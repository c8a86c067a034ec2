import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem } from '@/api'
import { NetworkTest, sheet, verdict, type Figures, type Lab, type Passage, type Received, type Sent, type Way } from './network'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const all: Record<Way, Passage> = { udp: 'passes', tcp: 'passes', relay: 'absent' }
const fine: Figures = { way: 'udp', up: 2e6, down: 2e6, lossUp: 0, lossDown: 0, delay: 20, jitter: 2 }

/** A network on virtual time: rates in bit/s, loss as a share of packets. */
interface Net { up: number; down: number; loss: number; blocked: (Way | 'any' | 'send')[]; silent?: Way[] }

function setUp(net: Net, offered: Way[] = ['udp', 'tcp']) {
  const started = Date.now()
  const seconds = () => (Date.now() - started) / 1000
  const closed: string[] = []
  const refuse = (what: Net['blocked'][number]) => (net.blocked.includes(what) ? Promise.reject(new Error('no connection')) : Promise.resolve())
  const lab: Lab = {
    send: async () => {
      await refuse('send')
      const stats = (): Sent => ({ at: Date.now(), bytes: (net.up / 8) * seconds(), available: net.up, loss: net.loss, delay: 40, way: 'udp' })
      return { stats: () => Promise.resolve(stats()), close: () => (closed.push('send'), Promise.resolve()) }
    },
    receive: async (_url, token) => {
      await refuse(token as Way)
      const silent = net.silent?.includes(token as Way) ?? false
      const packets = () => (silent ? 0 : 100 * seconds())
      const stats = (): Received => ({ at: Date.now(), bytes: (net.down / 8) * seconds(), packets: packets() * (1 - net.loss), lost: packets() * net.loss, jitter: 3 })
      return { stats: () => Promise.resolve(stats()), close: () => (closed.push(token), Promise.resolve()) }
    },
  }
  const begin = vi.fn(() => Promise.resolve({ url: 'ws://x', sender: 's', ends_at: '', receivers: (['any', ...offered] as const).map((way) => ({ way, token: way })) }))
  const end = vi.fn(() => Promise.resolve())
  return { test: new NetworkTest({ begin, end }, () => Promise.resolve(lab)), begin, end, closed }
}

async function run(test: NetworkTest) {
  const done = test.run()
  await vi.advanceTimersByTimeAsync(60_000)
  await done
  return test.state.get()
}

describe('the network test', () => {
  it('measures the way of a call, then tries the others, and leaves nothing open', async () => {
    const { test, end, closed } = setUp({ up: 2e6, down: 1.5e6, loss: 0, blocked: [] })
    const steps: string[] = []
    test.state.subscribe(() => {
      const state = test.state.get()
      steps.push(state.is === 'running' ? state.step : state.is)
    })
    const state = await run(test)
    expect(steps).toEqual(['opening', 'measuring', 'ways', 'done'])
    expect(state).toMatchObject({ is: 'done', report: { verdict: 'picture', passages: all, figures: { way: 'udp', up: 2e6, lossUp: 0, lossDown: 0, delay: 40, jitter: 3 } } })
    if (state.is === 'done') expect(state.report.figures?.down).toBeCloseTo(1.5e6, -3)
    expect(closed.sort()).toEqual(['any', 'send', 'tcp', 'udp'])
    expect(end).toHaveBeenCalledOnce()
  })

  it('says which way is blocked, also one that connects and carries nothing', async () => {
    const { test } = setUp({ up: 2e6, down: 2e6, loss: 0, blocked: ['udp'], silent: ['tcp'] }, ['udp', 'tcp', 'relay'])
    expect(await run(test)).toMatchObject({ report: { passages: { udp: 'blocked', tcp: 'blocked', relay: 'passes' } } })
  })

  it('knows the ways when no connection comes up by itself', async () => {
    const { test } = setUp({ up: 0, down: 0, loss: 0, blocked: ['send', 'udp'] })
    expect(await run(test)).toMatchObject({ report: { verdict: 'weak', figures: null, passages: { udp: 'blocked', tcp: 'passes', relay: 'absent' } } })
  })

  it('says so when nothing passes', async () => {
    const { test, end } = setUp({ up: 0, down: 0, loss: 0, blocked: ['send', 'any', 'udp', 'tcp'] })
    expect(await run(test)).toMatchObject({ report: { verdict: 'none' } })
    expect(end).toHaveBeenCalledOnce()
  })

  it('runs once at a time', async () => {
    const { test, begin } = setUp({ up: 2e6, down: 2e6, loss: 0, blocked: [] })
    void test.run()
    await run(test)
    expect(begin).toHaveBeenCalledOnce()
  })

  it('tells a crowd from a network that is not there', async () => {
    for (const [problem, why] of [[new Problem('unavailable', 503, ''), 'later'], [new Problem('too-many', 429, ''), 'later'], [new TypeError('no network'), 'offline']] as const) {
      const { test, begin, end } = setUp({ up: 0, down: 0, loss: 0, blocked: [] })
      begin.mockRejectedValue(problem)
      expect(await run(test)).toEqual({ is: 'failed', why })
      expect(end).not.toHaveBeenCalled()
    }
  })

  it('closes everything when its page has gone', async () => {
    const { test, end, closed } = setUp({ up: 2e6, down: 2e6, loss: 0, blocked: [] })
    const done = test.run()
    await vi.advanceTimersByTimeAsync(3_000)
    test.dispose()
    await vi.advanceTimersByTimeAsync(60_000)
    await done
    expect(test.state.get().is).toBe('running') // what nobody looks at
    expect(closed).toContain('send')
    expect(end).toHaveBeenCalledOnce()
  })
})

describe('the verdict', () => {
  it.each<[Partial<Figures>, string]>([
    [{}, 'picture'],
    [{ up: 900_000 }, 'small'],
    [{ down: 900_000 }, 'small'],
    [{ lossDown: 0.05 }, 'small'],
    [{ delay: 400 }, 'small'],
    [{ up: 150_000 }, 'sound'],
    [{ lossUp: 0.12 }, 'sound'],
    [{ delay: 700 }, 'sound'],
    [{ down: 30_000 }, 'weak'],
    [{ lossDown: 0.25 }, 'weak'],
    [{ delay: 1_500 }, 'weak'],
  ])('%o: %s', (worse, word) => expect(verdict({ ...fine, ...worse }, all)).toBe(word))
})

it('the sheet names every figure', () => {
  const text = sheet({ verdict: 'small', passages: all, figures: { ...fine, lossDown: 0.031 }, at: new Date('2027-03-02T09:00:00Z') }, 'Browser 1')
  expect(text).toBe('Aparté network check, 2027-03-02T09:00:00.000Z\nBrowser 1\nverdict: small\nudp: passes\ntcp: passes\nrelay: absent\nway: udp\nup: 2000 kbit/s\ndown: 2000 kbit/s\nloss up: 0.0 %\nloss down: 3.1 %\nround trip: 20 ms\njitter: 2 ms')
})
