// What is asked of the browser for a shared screen. The call itself is left out where the browser can do that: what others say
// and show would go to them as an echo and, where one is recorded, into the recording, also of those who declined.
import type { AudioCaptureOptions, ScreenShareCaptureOptions } from 'livekit-client'

/** Screen Capture, section 5.4; newer than TypeScript's own list. */
export type Constraints = MediaTrackSupportedConstraints & { restrictOwnAudio?: boolean }

/** Of a whole screen the sound of everything else is taken, or none where the call's own cannot be told from it. */
export function screenShare({ restrictOwnAudio = false }: Constraints): ScreenShareCaptureOptions {
  const audio: AudioCaptureOptions & { restrictOwnAudio: boolean } = { restrictOwnAudio }
  return { audio, systemAudio: restrictOwnAudio ? 'include' : 'exclude', selfBrowserSurface: 'exclude', contentHint: 'detail' }
}
