import { ConnectionState, DisconnectReason, RoomEvent, Track } from 'livekit-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Problem, type CallMessage } from '@/api'
import { screenShare } from './screenshare'
import { betterAfter, worseAfter } from './steady'
import { setUp, type FakeRoom } from './fake'

beforeEach(() => vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
const settle = () => vi.advanceTimersByTimeAsync(0)

describe('a call', () => {
  it('opens on entry what was intended, and nothing else', async () => {
    const { call, phase } = setUp()
    call.start()
    await settle()
    expect(phase().is).toBe('live')
    expect(call.state.get().self).toMatchObject({ mic: 'on', cam: 'off', identity: 'me' })
  })

  it('lists people in order of arrival, oneself last, and keeps the facts that did not change', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    const late = room.add('late', 'Zoé', 20)
    room.add('early', 'Adam', 10)
    await settle()
    expect(call.state.get().people.map(({ identity }) => identity)).toEqual(['early', 'late', 'me'])
    const [early] = call.state.get().people
    await late.setMicrophoneEnabled(true)
    late.isSpeaking = true
    room.emit(RoomEvent.ActiveSpeakersChanged, [])
    await settle()
    expect(call.state.get().people[1]).toMatchObject({ speaking: true, micOn: true })
    expect(call.state.get().people[0]).toBe(early)
    const { people } = call.state.get()
    room.emit(RoomEvent.TrackMuted)
    await settle()
    expect(call.state.get().people).toBe(people)
  })

  it('says of a picture that the server holds it back, and when it comes again', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    const adam = room.add('adam', 'Adam', 10)
    await adam.setCameraEnabled(true)
    const track = { source: Track.Source.Camera, streamState: Track.StreamState.Paused }
    Object.assign(adam.getTrackPublication(Track.Source.Camera) ?? {}, { track })
    room.emit(RoomEvent.TrackStreamStateChanged)
    await settle()
    expect(call.state.get().people[0]).toMatchObject({ identity: 'adam', held: true, picture: track })
    await vi.advanceTimersByTimeAsync(worseAfter)
    expect(call.state.get().quality).toBe('weak')
    track.streamState = Track.StreamState.Active
    room.emit(RoomEvent.TrackStreamStateChanged)
    await settle()
    expect(call.state.get().people[0]).toMatchObject({ held: false, picture: track })
    await vi.advanceTimersByTimeAsync(betterAfter)
    expect(call.state.get().quality).toBe('good')
  })

  it('joins again by itself with a fresh token after the connection is given up, and opens the devices again', async () => {
    const { call, room, grant, phase } = setUp()
    const events: string[] = []
    call.onEvent((event) => events.push(event.is))
    call.start()
    await settle()
    room.drop(DisconnectReason.SIGNAL_CLOSE)
    expect(phase()).toEqual({ is: 'reconnecting', since: Date.now(), tries: 0, retryAt: Date.now() + 500 })
    await room.localParticipant.setMicrophoneEnabled(false)
    room.refuse = new Error('no route')
    await vi.advanceTimersByTimeAsync(500)
    expect(phase()).toMatchObject({ is: 'reconnecting', tries: 1, retryAt: Date.now() + 1000 })
    room.refuse = null
    await vi.advanceTimersByTimeAsync(1000)
    expect(phase().is).toBe('live')
    expect(grant).toHaveBeenCalledTimes(3)
    expect(call.state.get().self.mic).toBe('on')
    expect(events).toEqual(['back'])
  })

  it('shows the last picture of the meeting while away', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    room.add('p', 'Paul', 1)
    await settle()
    room.remoteParticipants.clear()
    room.drop()
    await settle()
    expect(call.state.get().people.map(({ identity }) => identity)).toEqual(['p', 'me'])
  })

  it('shows it too while LiveKit reconnects by itself and has already forgotten the others', async () => {
    const { call, room, phase } = setUp()
    call.start()
    await settle()
    room.add('p', 'Paul', 1)
    await settle()
    room.state = ConnectionState.Reconnecting
    room.emit(RoomEvent.Reconnecting)
    room.remoteParticipants.clear()
    room.emit(RoomEvent.ParticipantDisconnected, room.localParticipant)
    await settle()
    expect(call.state.get().people.map(({ identity }) => identity)).toEqual(['p', 'me'])
    room.state = ConnectionState.Connected
    room.emit(RoomEvent.Reconnected)
    await settle()
    expect(phase().is).toBe('live')
    expect(call.state.get().people.map(({ identity }) => identity)).toEqual(['me'])
  })

  it('tries at once when asked to', async () => {
    const { call, room, grant } = setUp()
    call.start()
    await settle()
    room.drop()
    call.retryNow()
    await settle()
    expect(grant).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(grant).toHaveBeenCalledTimes(2)
  })

  it('says when LiveKit tries next, and takes over from it when asked to, or when LiveKit gives up', async () => {
    const { call, room, grant, lose, phase } = setUp()
    call.start()
    await settle()
    const since = Date.now()
    expect(lose(0)).toBe(0)
    expect(phase()).toEqual({ is: 'reconnecting', since, tries: 0, retryAt: since })
    room.state = ConnectionState.SignalReconnecting
    room.emit(RoomEvent.SignalReconnecting)
    call.retryNow() // a try is under way
    await settle()
    expect(grant).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(100)
    expect(lose(1)).toBe(500)
    expect(phase()).toEqual({ is: 'reconnecting', since, tries: 1, retryAt: Date.now() + 500 })
    call.retryNow()
    await settle()
    expect(grant).toHaveBeenCalledTimes(2)
    expect(room.connect).toHaveBeenCalledTimes(2)
    expect(phase().is).toBe('live')
    expect([0, 1, 2, 3, 4, 5, 6].map((tries) => lose(tries))).toEqual([0, 500, 1000, 2000, 4000, 8000, 10_000])
    expect(lose(7)).toBeNull()
    room.drop()
    expect(phase()).toMatchObject({ is: 'reconnecting', tries: 6, retryAt: Date.now() + 500 })
    await vi.advanceTimersByTimeAsync(500)
    expect(phase().is).toBe('live')
  })

  it('tries at once when the network has changed or the machine has slept', async () => {
    const { call, room, grant, network, phase } = setUp()
    call.start()
    await settle()
    network.back() // the page came back to the screen: no reason to doubt
    expect(room.simulateScenario).not.toHaveBeenCalled()
    network.gone()
    network.back()
    expect(room.simulateScenario).toHaveBeenCalledExactlyOnceWith('signal-reconnect')
    room.refuse = new Error('no route')
    room.drop()
    await vi.advanceTimersByTimeAsync(4_000)
    expect(phase()).toMatchObject({ is: 'reconnecting', tries: 3 })
    room.refuse = null
    network.back()
    await settle()
    expect(phase().is).toBe('live')
    expect(grant).toHaveBeenCalledTimes(5)
    call.leave()
    expect(network.unwatch).toHaveBeenCalledOnce()
  })

  it('asks for a touch when an interruption has left the devices dead, and only then', async () => {
    const { call, room, network } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    const restartTrack = vi.fn(() => Promise.resolve())
    const track = { source: Track.Source.Microphone, mediaStreamTrack: { readyState: 'live', muted: true }, restartTrack }
    room.localParticipant.trackPublications.set('mic', { isMuted: false, track })
    network.back()
    await vi.advanceTimersByTimeAsync(1_000)
    track.mediaStreamTrack.muted = false // the browser woke it by itself
    await vi.advanceTimersByTimeAsync(1_000)
    expect(call.state.get().mustTap).toBe(false)
    track.mediaStreamTrack.readyState = 'ended'
    network.back()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(call.state.get().mustTap).toBe(true)
    await call.resume()
    await settle()
    expect(restartTrack).toHaveBeenCalledOnce()
    expect(call.state.get().mustTap).toBe(false)
    room.localParticipant.trackPublications.set('mic', { isMuted: true, track })
    network.back()
    await vi.advanceTimersByTimeAsync(2_000)
    expect(call.state.get().mustTap).toBe(false)
  })

  it.each([
    [DisconnectReason.PARTICIPANT_REMOVED, 'removed'],
    [DisconnectReason.ROOM_DELETED, 'ended'],
    [DisconnectReason.DUPLICATE_IDENTITY, 'elsewhere'],
  ])('stays out after reason %i: %s', async (reason, why) => {
    const { call, room, grant, phase } = setUp()
    call.start()
    await settle()
    room.drop(reason)
    await vi.advanceTimersByTimeAsync(120_000)
    expect(phase()).toEqual({ is: 'over', why })
    expect(grant).toHaveBeenCalledOnce()
  })

  it('is over when the server refuses a token, and tries on when only the network fails', async () => {
    const { call, grant, phase } = setUp()
    grant.mockRejectedValueOnce(new Problem('offline', 0, ''))
    call.start()
    await settle()
    expect(phase().is).toBe('reconnecting')
    grant.mockRejectedValueOnce(new Problem('denied', 403, ''))
    await vi.advanceTimersByTimeAsync(500)
    expect(phase()).toEqual({ is: 'over', why: 'removed' })
  })

  it('is not left by a reload, which makes livekit-client disconnect: a page that comes back joins again', async () => {
    const { call, room, phase } = setUp()
    call.start()
    await settle()
    room.drop(DisconnectReason.CLIENT_INITIATED)
    expect(phase().is).toBe('reconnecting')
    await vi.advanceTimersByTimeAsync(500)
    expect(phase().is).toBe('live')
  })

  it('leaves for good, even in the middle of joining', async () => {
    const { call, room, phase } = setUp()
    call.start()
    call.leave()
    await settle()
    expect(phase()).toEqual({ is: 'over', why: 'left' })
    expect(room.state).toBe(ConnectionState.Disconnected)
    expect(call.state.get().self.mic).toBe('off')
  })

  it('says which device did not open and why, and stays in the meeting', async () => {
    const { call, room, phase } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    room.localParticipant.fail = new DOMException('', 'NotReadableError')
    await call.toggleCam()
    expect(call.state.get().self).toMatchObject({ cam: 'off', problem: { kind: 'cam', why: 'busy' } })
    room.localParticipant.fail = null
    await call.toggleCam()
    expect(call.state.get().self).toMatchObject({ cam: 'on', problem: null })
    expect(phase().is).toBe('live')
  })

  it('takes closing the chooser of screens for a choice', async () => {
    vi.stubGlobal('navigator', { mediaDevices: { getSupportedConstraints: () => ({ restrictOwnAudio: true }) } })
    const { call, room } = setUp()
    call.start()
    await settle()
    room.localParticipant.fail = new DOMException('', 'NotAllowedError')
    await call.toggleShare()
    expect(call.state.get().self).toMatchObject({ sharing: false, problem: null })
    room.localParticipant.fail = null
    await call.toggleShare()
    expect(call.state.get().self.sharing).toBe(true)
    expect(room.localParticipant.setScreenShareEnabled).toHaveBeenLastCalledWith(true, screenShare({ restrictOwnAudio: true }))
  })

  it('sends and asks for no picture with sound alone, and the camera again afterwards', async () => {
    const { call, room, preferences } = setUp({ mic: true, cam: true })
    call.start()
    await settle()
    expect(room.connect).toHaveBeenLastCalledWith('ws://x', 't', { autoSubscribe: true })
    preferences.update((now) => ({ ...now, data: 'sound' }))
    await settle()
    expect(room.localParticipant.unpublishTrack).toHaveBeenCalledOnce()
    expect(call.state.get().self).toMatchObject({ mic: 'on', cam: 'off' })
    preferences.update((now) => ({ ...now, data: 'low' }))
    await settle()
    expect(call.state.get().self.cam).toBe('on')
    const { setCameraEnabled } = room.localParticipant
    expect(setCameraEnabled.mock.lastCall).toMatchObject([true, { resolution: { height: 180 } }, { simulcast: false }])
    preferences.update((now) => ({ ...now, data: 'full' }))
    await settle()
    expect(setCameraEnabled.mock.lastCall).toEqual([true, undefined, undefined])
  })

  it('joins with sound alone where that was chosen before', async () => {
    const { call, room } = setUp({ mic: true, cam: true }, { data: 'sound' })
    call.start()
    await settle()
    expect(room.connect).toHaveBeenLastCalledWith('ws://x', 't', { autoSubscribe: false })
    expect(room.localParticipant.setCameraEnabled).not.toHaveBeenCalled()
    expect(call.state.get().self).toMatchObject({ mic: 'on', cam: 'off' })
  })

  it('opens no microphone by itself where one holds to talk, and closes it when that is chosen', async () => {
    const held = setUp({ mic: true, cam: false }, { talk: 'hold' })
    held.call.start()
    await settle()
    expect(held.call.state.get().self.mic).toBe('off')
    const { call, preferences } = setUp()
    call.start()
    await settle()
    preferences.update((now) => ({ ...now, talk: 'hold' }))
    await settle()
    expect(call.state.get().self.mic).toBe('off')
  })

  it('leaves no microphone open that was let go of while it opened', async () => {
    const { call, room } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    const local = room.localParticipant
    const set = local.setMicrophoneEnabled
    // As livekit-client does: closing what is not open yet does nothing.
    local.setMicrophoneEnabled = vi.fn(async (on: boolean) => {
      if (on) await new Promise((done) => setTimeout(done, 300))
      else if (!local.isMicrophoneEnabled) return
      await set(on)
    })
    void call.setMic(true)
    void call.setMic(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect([local.isMicrophoneEnabled, call.state.get().self.mic]).toEqual([false, 'off'])
  })

  // As livekit-client does: what is not open yet is neither closed nor listed.
  const slowly = (room: FakeRoom) => {
    const local = room.localParticipant
    const set = local.setCameraEnabled
    local.setCameraEnabled = vi.fn(async (on: boolean, ...how: (object | undefined)[]) => {
      if (on) await new Promise((done) => setTimeout(done, 300))
      else if (!local.isCameraEnabled) return
      await set(on, ...how)
    })
  }

  it.each<['sound' | 'low', boolean]>([['sound', false], ['low', true]])('sends no picture as before where %s was chosen while the camera opened', async (data, sent) => {
    const { call, room, preferences } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    slowly(room)
    void call.setCam(true)
    preferences.update((now) => ({ ...now, data }))
    await vi.advanceTimersByTimeAsync(2_000)
    const { setCameraEnabled, isCameraEnabled, unpublishTrack } = room.localParticipant
    expect(unpublishTrack).toHaveBeenCalledTimes(1)
    expect([isCameraEnabled, call.state.get().self.cam]).toEqual([sent, sent ? 'on' : 'off'])
    if (sent) expect(setCameraEnabled.mock.lastCall).toMatchObject([true, { resolution: { height: 180 } }, { simulcast: false }])
  })

  it('leaves no camera open that was closed while it opened', async () => {
    const { call, room } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    slowly(room)
    void call.setCam(true)
    void call.setCam(false)
    await vi.advanceTimersByTimeAsync(1_000)
    expect([room.localParticipant.isCameraEnabled, call.state.get().self.cam]).toEqual([false, 'off'])
  })

  const written: CallMessage = { seq: 1, from: 'p', from_name: 'Paul', to: 'everyone', text: 'bonjour', at: '2027-03-02T09:00:00Z' }

  it('shows what the server says that somebody wrote, and nothing that a participant sends', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    const paul = room.add('p', 'Paul', 1)
    room.say('aparte.chat', { ...written, seq: 2, text: 'forged' }, paul)
    room.say('aparte.reaction', { reactions: [{ identity: 'me', reaction: 'agree' }] }, paul)
    for (const nonsense of ['', '{', '[]', '{"seq":"x"}', '{"reactions":[null]}']) {
      room.say('aparte.chat', nonsense)
      room.say('aparte.reaction', nonsense)
    }
    room.say('aparte.else', written)
    room.say('aparte.chat', written)
    await settle()
    expect(call.chat.state.get().messages).toMatchObject([{ from: { name: 'Paul', self: false }, text: 'bonjour' }])
    expect(call.state.get().reactions).toEqual({})
  })

  it('reads what was written once it is in, and asks again where the server has not heard of it yet', async () => {
    const { call, calls } = setUp()
    calls.messages.mockRejectedValueOnce(new Problem('conflict', 409, 'not in the call')).mockImplementation(() => Promise.resolve({ messages: [written], now: new Date(Date.now() + 5000).toISOString() }))
    call.start()
    await vi.advanceTimersByTimeAsync(600)
    expect(call.chat.state.get().messages).toMatchObject([{ text: 'bonjour' }])
    expect(call.state.get().clock).toBe(5000)
  })

  it('reads what was written however often that failed, one time after the other, and not once the call is over', async () => {
    const { call, calls, room } = setUp()
    calls.messages.mockRejectedValue(new Problem('internal', 502, 'no server'))
    call.start()
    await vi.advanceTimersByTimeAsync(10 * 60_000)
    expect(calls.messages.mock.calls.length).toBeGreaterThan(40)
    expect(calls.messages.mock.calls.length).toBeLessThan(90)
    // A connection that comes back does not wait for the next try, and leaves none behind.
    room.emit(RoomEvent.SignalReconnecting)
    const before = calls.messages.mock.calls.length
    await vi.advanceTimersByTimeAsync(30_000)
    expect(calls.messages.mock.calls.length).toBe(before)
    calls.messages.mockImplementation(() => Promise.resolve({ messages: [written], now: new Date().toISOString() }))
    room.emit(RoomEvent.Reconnected)
    await settle()
    expect(call.chat.state.get().messages).toMatchObject([{ text: 'bonjour' }])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(calls.messages.mock.calls.length).toBe(before + 1)
    calls.messages.mockRejectedValue(new Problem('internal', 502, 'no server'))
    room.emit(RoomEvent.SignalReconnecting)
    room.emit(RoomEvent.Reconnected)
    await settle()
    call.leave()
    const last = calls.messages.mock.calls.length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(calls.messages.mock.calls.length).toBe(last)
  })

  it('shows a reaction for a moment', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    room.add('p', 'Paul', 1)
    await settle()
    room.say('aparte.reaction', { reactions: [{ identity: 'p', reaction: 'thanks' }, { identity: 'ghost', reaction: 'agree' }] })
    expect(call.state.get().reactions).toEqual({ p: 'thanks' })
    await vi.advanceTimersByTimeAsync(5001)
    expect(call.state.get().reactions).toEqual({})
  })

  it('numbers raised hands in the server’s order, and leaves nonsense alone', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    const orders = ['12', '9', '', '1e999']
    orders.forEach((order, i) => void (room.add(`p${i}`, 'Paul', i).attributes = { 'aparte.hand': order }))
    room.emit(RoomEvent.ParticipantAttributesChanged, {}, room.localParticipant)
    await settle()
    expect(call.state.get().people.map(({ hand }) => hand)).toEqual([2, 1, 0, 0, 0])
  })

  it('lowers hands after the time to take it back', async () => {
    const { call, calls } = setUp()
    call.start()
    await settle()
    call.lower('p')
    call.undoLowering()
    await vi.advanceTimersByTimeAsync(9000)
    expect(calls.host.lower).not.toHaveBeenCalled()
    call.lower('p')
    call.lower(null)
    expect(calls.host.lower).toHaveBeenCalledExactlyOnceWith('p')
    await vi.advanceTimersByTimeAsync(8001)
    expect(calls.host.lower).toHaveBeenLastCalledWith(null)
    expect(call.state.get().lowering).toBeNull()
  })

  it('follows the timer of the room, and keeps it while it is the same', async () => {
    const { call, room } = setUp()
    room.metadata = '{"timer":{"ends_at":"2027-03-02T09:05:00Z","started_by":"Anne"}}'
    call.start()
    await settle()
    const before = call.state.get().timer
    expect(before).toEqual({ endsAt: Date.parse('2027-03-02T09:05:00Z'), startedBy: 'Anne' })
    room.emit(RoomEvent.RoomMetadataChanged)
    await settle()
    expect(call.state.get().timer).toBe(before)
    room.metadata = '{}'
    room.emit(RoomEvent.RoomMetadataChanged)
    await settle()
    expect(call.state.get().timer).toBeNull()
  })

  it('may not write once the server says so', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    expect(call.state.get().self.can.chat).toBe(true)
    room.localParticipant.attributes = { 'aparte.chat': 'off' }
    room.localParticipant.permissions = { canPublish: true, canPublishSources: [], canPublishData: false }
    room.emit(RoomEvent.ParticipantAttributesChanged, { 'aparte.chat': 'off' }, room.localParticipant)
    await settle()
    expect(call.state.get().self.can).toMatchObject({ speak: true, chat: false })
  })

  it('asks for a touch when the browser plays nothing', async () => {
    const { call, room } = setUp()
    call.start()
    await settle()
    room.canPlaybackAudio = false
    room.emit(RoomEvent.AudioPlaybackStatusChanged)
    await settle()
    expect(call.state.get().mustTap).toBe(true)
    room.startAudio.mockImplementation(() => {
      room.canPlaybackAudio = true
      return Promise.resolve()
    })
    await call.resume()
    await settle()
    expect(call.state.get().mustTap).toBe(false)
  })

  const said = (topic: string, value: unknown, sender?: unknown) => [new TextEncoder().encode(JSON.stringify(value)), sender, 0, topic]

  it('lets go of what a host stopped, and does not open it again after a return', async () => {
    const { call, room } = setUp({ mic: true, cam: true })
    const events: unknown[] = []
    call.onEvent((event) => events.push(event))
    call.start()
    await settle()
    room.emit(RoomEvent.DataReceived, ...said('aparte.moderated', { what: 'camera_stopped', by: 'Anne' }))
    room.emit(RoomEvent.DataReceived, ...said('aparte.moderated', { what: 'muted', by: 'Anne' }))
    await settle()
    expect(call.state.get().self).toMatchObject({ mic: 'off', cam: 'off' })
    expect(events).toMatchObject([{ is: 'moderated', deed: { what: 'camera_stopped', by: 'Anne' } }, { is: 'moderated', deed: { what: 'muted' } }])
    room.drop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(room.connect).toHaveBeenCalledTimes(2)
    expect(call.state.get().self).toMatchObject({ mic: 'off', cam: 'off' })
  })

  it('asks before it opens the microphone, and asks nobody whose microphone is open', async () => {
    const { call, room } = setUp({ mic: false, cam: false })
    call.start()
    await settle()
    room.emit(RoomEvent.DataReceived, ...said('aparte.ask', { what: 'unmute', by: 'Anne' }))
    expect(call.state.get()).toMatchObject({ askedBy: 'Anne', self: { mic: 'off' } })
    await call.answerAsk(true)
    expect(call.state.get()).toMatchObject({ askedBy: null, self: { mic: 'on' } })
    room.emit(RoomEvent.DataReceived, ...said('aparte.ask', { what: 'unmute', by: 'Anne' }))
    expect(call.state.get().askedBy).toBeNull()
  })

  it('believes only the server', async () => {
    const { call, room } = setUp({ mic: true, cam: false })
    call.start()
    await settle()
    const mallory = room.add('m', 'Mallory', 1)
    room.emit(RoomEvent.DataReceived, ...said('aparte.moderated', { what: 'muted', by: 'Anne' }, mallory))
    room.emit(RoomEvent.DataReceived, ...said('aparte.ask', { what: 'unmute', by: 'Anne' }, mallory))
    await settle()
    expect(call.state.get()).toMatchObject({ askedBy: null, self: { mic: 'on' } })
  })

  it('knows the state of the call from the first moment, and says when it is locked', async () => {
    const { call, room } = setUp()
    const events: unknown[] = []
    call.onEvent((event) => events.push(event))
    room.metadata = '{"spotlight":["p"]}'
    call.start()
    await settle()
    expect(call.state.get().moderation).toEqual({ locked: false, spotlight: ['p'], forbidden: [] })
    room.metadata = '{"locked":true,"forbidden":["share"]}'
    room.emit(RoomEvent.RoomMetadataChanged, room.metadata)
    await settle()
    expect(call.state.get().moderation).toEqual({ locked: true, spotlight: [], forbidden: ['share'] })
    expect(events).toEqual([{ is: 'locked' }])
  })
})
