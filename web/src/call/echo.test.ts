import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Echo, echoLength, type EchoMeans } from './echo'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function setUp() {
  let end: () => void = () => undefined
  const said = new Blob(['said'])
  const recorded = { stop: vi.fn(() => Promise.resolve(said)), drop: vi.fn() }
  const played = { ended: new Promise<void>((resolve) => (end = resolve)), stop: vi.fn() }
  const means = { record: vi.fn<EchoMeans['record']>(() => recorded), play: vi.fn<EchoMeans['play']>(() => played) }
  const echo = new Echo(means)
  return { echo, means, recorded, played, said, end: () => end() }
}
const stream = {} as MediaStream

it('records for a sentence, plays it on the chosen speaker, and is done', async () => {
  const { echo, means, said, end } = setUp()
  const run = echo.start(stream, 'box')
  expect(echo.state.get().is).toBe('recording')
  await vi.advanceTimersByTimeAsync(echoLength - 1)
  expect(means.play).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(echo.state.get().is).toBe('playing')
  expect(means.play).toHaveBeenCalledExactlyOnceWith(said, 'box')
  end()
  await run
  expect(echo.state.get().is).toBe('idle')
})

it('stops at any time: what was recorded is dropped, what plays is silent', async () => {
  const { echo, means, recorded, played } = setUp()
  void echo.start(stream)
  await vi.advanceTimersByTimeAsync(1_000)
  echo.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([echo.state.get().is, recorded.drop.mock.calls.length, means.play.mock.calls.length]).toEqual(['idle', 1, 0])
  void echo.start(stream)
  await vi.advanceTimersByTimeAsync(echoLength)
  expect(echo.state.get().is).toBe('playing')
  echo.stop()
  expect(played.stop).toHaveBeenCalledOnce()
  expect(echo.state.get().is).toBe('idle')
})

it('says so when the browser cannot', async () => {
  const { echo, means } = setUp()
  means.record.mockImplementationOnce(() => {
    throw new DOMException('', 'NotSupportedError')
  })
  await echo.start(stream)
  expect(echo.state.get().is).toBe('failed')
})
