import { describe, expect, it, vi } from 'vitest'
import { Problem, Store, type AgentView, type SocketState } from '@/api'
import { AgentWay } from './way'

const view = (status: AgentView['status']): AgentView => ({
  status, role: 'participant', knock: null, host_knows: false, host_present: false, host_watching: false,
  meeting: { title: 'T', organiser: 'Anne', time_zone: 'UTC', state: 'open', profile: 'inner', profile_name: { fr: '', en: '' }, sentence: { fr: '', en: '' }, keep_chat_days: 0, locked: false, recording: 'none' },
})

function setUp() {
  const connection = new Store<SocketState>({ is: 'connecting' })
  let tell: (view: AgentView) => void = () => undefined
  const calls = {
    ownKnock: vi.fn(() => Promise.resolve(view('entry'))),
    knock: vi.fn(() => Promise.resolve(view('waiting'))),
    withdrawKnock: vi.fn(() => Promise.resolve(view('withdrawn'))),
    replyToHosts: vi.fn(() => Promise.resolve(view('waiting'))),
  }
  const channel = { start: vi.fn(), close: vi.fn(), retryNow: vi.fn(), connection }
  const way = new AgentWay('m', calls, (onView) => {
    tell = onView
    return channel
  })
  const status = () => {
    const now = way.state.get()
    return now.at === 'known' ? now.view.status : now.at
  }
  return { way, calls, channel, connection, status, tell: (said: AgentView['status']) => tell(view(said)) }
}

describe("an agent's way in", () => {
  it('is asked for once the page is open, and follows the channel', async () => {
    const { way, channel, status, connection, tell } = setUp()
    expect(status()).toBe('asking')
    way.start()
    expect(channel.start).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(status()).toBe('entry'), 30_000)
    connection.set({ is: 'open' })
    tell('waiting')
    tell('admitted')
    expect(status()).toBe('admitted')
  })

  it('does not let an answer overtake what the channel told', async () => {
    const { way, connection, status, tell } = setUp()
    connection.set({ is: 'open' })
    tell('entry')
    const knocking = way.knock()
    tell('admitted')
    await knocking
    expect(status()).toBe('admitted')
  })

  it('shows a refusal of before by the status, and anything else as a problem', async () => {
    const { way, calls, status, connection, tell } = setUp()
    connection.set({ is: 'open' })
    tell('denied')
    calls.knock.mockRejectedValueOnce(new Problem('denied', 403, ''))
    await way.knock()
    expect(status()).toBe('denied')
    calls.knock.mockRejectedValueOnce(new Problem('not-found', 404, ''))
    await way.knock()
    expect(status()).toBe('refused')
  })

  it('asks why when the channel is refused', async () => {
    const { calls, status, connection } = setUp()
    calls.ownKnock.mockRejectedValueOnce(new Problem('not-found', 404, ''))
    connection.set({ is: 'refused' })
    await vi.waitFor(() => expect(status()).toBe('refused'), 30_000)
  })
})
