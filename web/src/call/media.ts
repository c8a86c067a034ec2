// What can stand between a person and their camera, as a closed set: each has its own words and its own way out.

export type MediaProblem = 'refused' | 'busy' | 'none' | 'unknown'
/** What can come between a person and an effect: the device is too slow to blur, blurring or the strong noise reduction does not start. */
export type EffectProblem = 'slow' | 'noblur' | 'nostrong'
export type Obstacle = 'insecure' | 'unsupported'

/** The parts of a browser that are looked at before anything is asked. */
export interface Surroundings {
  isSecureContext: boolean
  RTCPeerConnection?: unknown
  WebSocket?: unknown
  crypto?: { subtle?: unknown }
  navigator?: { mediaDevices?: { getUserMedia?: unknown } }
}

/** Why no call can work in this browser at this address, or null. An insecure address comes first: it hides the rest. */
export function obstacle(at: Surroundings): Obstacle | null {
  if (!at.isSecureContext) return 'insecure'
  if (!at.RTCPeerConnection || !at.WebSocket || !at.crypto?.subtle || !at.navigator?.mediaDevices?.getUserMedia) return 'unsupported'
  return null
}

/** Reads the DOMException of getUserMedia (Media Capture and Streams, section 10.2) and the names older browsers used. */
export function mediaProblem(error: unknown): MediaProblem {
  const name = typeof error === 'object' && error !== null && 'name' in error ? String(error.name) : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'PermissionDeniedError':
      return 'refused'
    case 'NotReadableError':
    case 'AbortError':
    case 'TrackStartError':
      return 'busy'
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return 'none'
    default:
      return 'unknown'
  }
}
