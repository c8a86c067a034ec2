import { EventEmitter } from 'node:events'
import { RoomEvent, Track, type Room } from 'livekit-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { missing, named, takesOver, Unplugged, type Gone } from './unplugged'

const device = (kind: MediaDeviceKind, deviceId: string, label: string) => ({ kind, deviceId, label })
const headset = device('audioinput', 'h', 'Casque X (046d:0a44)')
const builtIn = device('audioinput', 'b', 'Micro intégré')
const webcam = device('videoinput', 'w', 'Webcam C920 (046d:08e5)')

describe('a device', () => {
  it.each<[string, { id: string; label: string }, ReturnType<typeof device>[], boolean]>([
    ['that is listed is here', { id: 'h', label: headset.label }, [headset, builtIn], false],
    ['that is not is gone', { id: 'h', label: headset.label }, [builtIn], true],
    ['of which another has the id is gone', { id: 'h', label: headset.label }, [device('videoinput', 'h', 'x')], true],
    ['without which there is none is gone', { id: 'h', label: headset.label }, [], true],
    ['that was the default and no longer is, is here', { id: 'default', label: `Default - ${builtIn.label}` }, [device('audioinput', 'default', `Default - ${headset.label}`), headset, builtIn], false],
    ['that was the default and went is gone', { id: 'default', label: `Default - ${headset.label}` }, [device('audioinput', 'default', `Default - ${builtIn.label}`), builtIn], true],
    ['in a list without names is taken for here', { id: 'h', label: headset.label }, [device('audioinput', '', '')], false],
  ])('%s', (_, used, list, gone) => {
    expect(missing(used, 'audioinput', list)).toBe(gone)
  })
  it('is called what a person calls it', () => {
    expect(named({ id: 'h', label: headset.label })).toBe('Casque X')
    expect(named({ id: 'default', label: `Par défaut - ${headset.label}` })).toBe('Casque X')
    expect(named({ id: 'x', label: 'Canon EOS - R5 (HD)' })).toBe('Canon EOS - R5 (HD)')
  })
})

class Captured extends EventTarget {
  readyState: 'live' | 'ended' = 'live'
  constructor(readonly of: { deviceId: string; label: string }) {
    super()
  }
  get label() {
    return this.of.label
  }
  getSettings = () => ({ deviceId: this.of.deviceId })
  end() {
    this.readyState = 'ended'
    this.dispatchEvent(new Event('ended'))
  }
}

let list: ReturnType<typeof device>[]
let open: Map<Track.Source, { isMuted: boolean; track: { mediaStreamTrack: Captured; mediaStream?: { getTracks: () => Captured[] } } }>
let room: EventEmitter
let output: string | undefined
const switchActiveDevice = vi.fn((_: MediaDeviceKind, id: string) => {
  output = id
  return Promise.resolve(true)
})
let told: (readonly Gone[])[]
let unplugged: Unplugged
const opens = (source: Track.Source, of: { deviceId: string; label: string }) => {
  const captured = new Captured(of)
  open.set(source, { isMuted: false, track: { mediaStreamTrack: captured } })
  unplugged.follow()
  return captured
}

beforeEach(() => {
  vi.useFakeTimers()
  list = [headset, builtIn, webcam]
  open = new Map()
  told = []
  output = undefined
  switchActiveDevice.mockClear()
  room = Object.assign(new EventEmitter(), { localParticipant: { getTrackPublication: (source: Track.Source) => open.get(source) }, getActiveDevice: () => output, switchActiveDevice })
  unplugged = new Unplugged(room as unknown as Room, () => Promise.resolve(list as MediaDeviceInfo[]), (gone) => told.push(gone))
})
afterEach(() => {
  vi.useRealTimers()
})
const settle = () => vi.advanceTimersByTimeAsync(takesOver)

it('below an effect is the one that is looked for', async () => {
  const captured = new Captured(headset)
  const made = new Captured({ deviceId: '', label: 'MediaStreamAudioDestinationNode' })
  open.set(Track.Source.Microphone, { isMuted: false, track: { mediaStreamTrack: made, mediaStream: { getTracks: () => [captured] } } })
  unplugged.follow()
  room.emit(RoomEvent.MediaDevicesChanged)
  await settle()
  expect(told).toEqual([])
  list = [webcam]
  captured.end()
  await settle()
  expect(told).toEqual([[{ kind: 'mic', gone: 'Casque X', instead: null }]])
})

it('after the call is nobody’s', async () => {
  const captured = opens(Track.Source.Microphone, headset)
  list = []
  captured.end()
  unplugged.close()
  captured.end()
  await settle()
  expect(told).toEqual([])
})

it('that ends is told once, with what is used instead', async () => {
  const captured = opens(Track.Source.Microphone, headset)
  list = [builtIn, webcam]
  captured.end()
  room.emit(RoomEvent.MediaDevicesChanged)
  await vi.advanceTimersByTimeAsync(200)
  opens(Track.Source.Microphone, builtIn)
  expect(told).toEqual([])
  await settle()
  expect(told).toEqual([[{ kind: 'mic', gone: 'Casque X', instead: 'Micro intégré' }]])
  room.emit(RoomEvent.MediaDevicesChanged)
  await settle()
  expect(told).toHaveLength(1)
  list = [webcam]
  open.get(Track.Source.Microphone)?.track.mediaStreamTrack.end()
  await settle()
  expect(told[1]).toEqual([{ kind: 'mic', gone: 'Micro intégré', instead: null }])
})

it('both at once, such as a webcam with its microphone, of which nothing takes over', async () => {
  opens(Track.Source.Microphone, headset).end()
  opens(Track.Source.Camera, webcam).end()
  list = []
  await settle()
  expect(told).toEqual([[{ kind: 'mic', gone: 'Casque X', instead: null }, { kind: 'cam', gone: 'Webcam C920', instead: null }]])
})

it('an interruption that ends what is still plugged in is none, nor a device that comes, nor one that is not used', async () => {
  opens(Track.Source.Microphone, headset).end()
  await settle()
  list = [...list, device('audioinput', 'n', 'Nouveau')]
  room.emit(RoomEvent.MediaDevicesChanged)
  await settle()
  list = [headset]
  room.emit(RoomEvent.MediaDevicesChanged)
  await settle()
  expect(told).toEqual([])
})

it('nobody looks any more when the call is over', async () => {
  opens(Track.Source.Microphone, headset).end()
  list = []
  unplugged.close()
  room.emit(RoomEvent.MediaDevicesChanged)
  await settle()
  expect(told).toEqual([])
})

describe('a loudspeaker', () => {
  const box = device('audiooutput', 's', 'Haut-parleurs (8086:a0c8)')
  const phones = device('audiooutput', 'h', 'Casque X (046d:0a44)')
  const ofSystem = (label: string) => device('audiooutput', 'default', `Par défaut - ${label}`)
  const chosen = async (id: string | undefined, there: ReturnType<typeof device>[]) => {
    output = id
    list = there
    room.emit(RoomEvent.ActiveDeviceChanged, 'audiooutput', id)
    await settle()
  }
  const changed = async (there: ReturnType<typeof device>[]) => {
    list = there
    room.emit(RoomEvent.MediaDevicesChanged)
    await settle()
  }

  it('that goes is told, and the system’s own is taken', async () => {
    await chosen('h', [ofSystem(box.label), box, phones])
    await changed([ofSystem(box.label), box])
    expect(switchActiveDevice).toHaveBeenCalledExactlyOnceWith('audiooutput', 'default')
    expect(told).toEqual([[{ kind: 'speaker', gone: 'Casque X', instead: 'Haut-parleurs' }]])
    await changed([ofSystem(box.label), box, phones])
    expect(told).toHaveLength(1)
  })
  it('for which livekit-client has taken another is told with that, and nothing is taken again', async () => {
    await chosen('h', [box, phones])
    list = [box]
    output = 's'
    room.emit(RoomEvent.ActiveDeviceChanged, 'audiooutput', 's')
    await changed([box])
    expect(switchActiveDevice).not.toHaveBeenCalled()
    expect(told).toEqual([[{ kind: 'speaker', gone: 'Casque X', instead: 'Haut-parleurs' }]])
  })
  it('that the system had chosen is told by its own name', async () => {
    await chosen(undefined, [ofSystem(box.label), box])
    await changed([ofSystem(phones.label), box, phones])
    expect(told).toEqual([])
    await changed([ofSystem(box.label), box])
    expect(switchActiveDevice).not.toHaveBeenCalled()
    expect(told).toEqual([[{ kind: 'speaker', gone: 'Casque X', instead: 'Haut-parleurs' }]])
  })
  it('that was the only one leaves nothing', async () => {
    await chosen('h', [phones])
    await changed([])
    expect(told).toEqual([[{ kind: 'speaker', gone: 'Casque X', instead: null }]])
  })
  it('is told together with the microphone of the same headset', async () => {
    await chosen('h', [headset, builtIn, box, phones])
    const captured = opens(Track.Source.Microphone, headset)
    await settle()
    list = [builtIn, box]
    output = 's'
    captured.end()
    opens(Track.Source.Microphone, builtIn)
    await changed(list)
    expect(told).toEqual([[{ kind: 'mic', gone: 'Casque X', instead: 'Micro intégré' }, { kind: 'speaker', gone: 'Casque X', instead: 'Haut-parleurs' }]])
  })
  it('of which the browser shows no name, another that is chosen, and one that the system prefers, are none that went', async () => {
    await chosen(undefined, [device('audiooutput', '', '')])
    await changed([device('audiooutput', '', ''), device('audiooutput', '', '')])
    await chosen('h', [ofSystem(box.label), box, phones])
    await chosen('s', [ofSystem(box.label), box, phones])
    await changed([ofSystem(box.label), box])
    await chosen('default', [ofSystem(box.label), box, phones])
    await changed([ofSystem(phones.label), box, phones])
    expect(told).toEqual([])
  })
})
