import { DisconnectReason } from 'livekit-client'
import { describe, expect, it } from 'vitest'
import { Problem } from '@/api'
import { defaults, readIntents } from './intents'
import { mediaProblem, obstacle } from './media'
import { overBy, overByProblem } from './outcome'

const able = { isSecureContext: true, RTCPeerConnection: 1, WebSocket: 1, crypto: { subtle: 1 }, navigator: { mediaDevices: { getUserMedia: 1 } } }

describe('obstacles', () => {
  it('are none in a browser of today', () => {
    expect(obstacle(able)).toBeNull()
  })
  it('name the insecure address first, since it hides the rest', () => {
    expect(obstacle({ isSecureContext: false })).toBe('insecure')
  })
  it('name a browser without calls', () => {
    expect(obstacle({ ...able, RTCPeerConnection: undefined })).toBe('unsupported')
    expect(obstacle({ ...able, navigator: {} })).toBe('unsupported')
  })
})

describe('a device that does not open', () => {
  it.each([['NotAllowedError', 'refused'], ['NotReadableError', 'busy'], ['AbortError', 'busy'], ['NotFoundError', 'none'], ['OverconstrainedError', 'none'], ['WeirdError', 'unknown']])('%s is %s', (name, why) => {
    expect(mediaProblem(new DOMException('x', name))).toBe(why)
  })
  it('may fail with anything', () => {
    expect([mediaProblem(null), mediaProblem('x'), mediaProblem(undefined)]).toEqual(['unknown', 'unknown', 'unknown'])
  })
})

describe('intents', () => {
  it('start with the microphone on and the camera off', () => {
    expect(readIntents(null)).toEqual(defaults)
    expect(defaults).toMatchObject({ mic: true, cam: false })
  })
  it.each(['{', '[]', '3', '"x"', '{"mic":"yes","micID":7}'])('fall back when what was kept is not understood: %s', (kept) => {
    expect(readIntents(kept)).toEqual(defaults)
  })
  it('keep what was chosen', () => {
    expect(readIntents('{"mic":false,"cam":true,"camID":"c","keys":false}')).toEqual({ mic: false, cam: true, camID: 'c', keys: false, sounds: true })
  })
})

describe('the end of a connection', () => {
  it('is final only when someone wanted it', () => {
    const final = Object.values(DisconnectReason).filter((reason): reason is DisconnectReason => typeof reason === 'number' && overBy(reason) !== null)
    expect(final.map((reason) => DisconnectReason[reason]).sort()).toEqual(['DUPLICATE_IDENTITY', 'PARTICIPANT_REMOVED', 'ROOM_CLOSED', 'ROOM_DELETED'])
    expect(overBy(undefined)).toBeNull()
  })
  it('follows from a refused token', () => {
    const of = (code: string, status = 403) => overByProblem(new Problem(code, status, ''))
    expect([of('meeting-ended'), of('denied'), of('unauthenticated'), of('conflict'), of('offline', 0), of('internal'), of('too-many')]).toEqual(['ended', 'removed', 'unauthenticated', 'refused', null, null, null])
  })
})
