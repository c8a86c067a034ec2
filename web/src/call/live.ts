// The live half of the call, with livekit-client: loaded when someone is about to enter.
import { LogLevel, Room, setLogLevel, VideoPresets } from 'livekit-client'
import type { MediaGrant } from '@/api'
import type { CallCalls } from '@/api/call'
import { browserNetwork } from '@/api/socket'
import type { Intents } from './intents'
import { preferences } from './preferences'
import { listenWithWebAudio } from './listening'
import { draftsIn } from './drafts'
import { newEffects } from './effects/processors'
import { Call } from './session'
import { browserKeep } from './view'

/** A call with the settings every meeting uses: only visible pictures are received, only wanted layers are sent. */
export function newCall(grant: () => Promise<MediaGrant>, calls: CallCalls, intents: Intents): Call {
  setLogLevel(LogLevel.warn)
  return new Call({
    grant,
    calls,
    intents,
    preferences,
    effects: newEffects(() => preferences.change({ blur: 'off' })),
    listen: listenWithWebAudio,
    network: browserNetwork,
    devices: () => navigator.mediaDevices.enumerateDevices(),
    // The path names the link or the meeting, and no secret.
    drafts: draftsIn(() => sessionStorage, `aparte.draft.${location.pathname}`),
    keep: browserKeep(),
    room: (reconnectPolicy) =>
      new Room({
        reconnectPolicy,
        adaptiveStream: true,
        dynacast: true,
        videoCaptureDefaults: { resolution: VideoPresets.h720.resolution },
        publishDefaults: { videoCodec: 'vp8', simulcast: true, red: true, dtx: true },
      }),
  })
}

export type { Call } from './session'
export type { SteppedDown } from './ownpicture'
export type { CallEvent, CallState, Phase } from './state'
export type { Person, Self, Share } from './people'
export type { RecordingTold } from './recording'
export type { NoHost } from './told'
export type { ProfileInForce } from './profile'
export type { Over } from './outcome'
export type { Message } from './chat'
export { everyone } from './chat'
export type { Files, Upload } from './files'
export { reactions, type Timer } from './packets'
export type { Moderated, Moderation, Right } from './moderation'
export { grid, initials, page, perPage, smallestTile, type Size } from './layout'
export { arrange, keyOf, layouts, selfViews, type Arrangement, type Layout, type Seat } from './arrangement'
export type { Gone } from './unplugged'
export type { View, ViewState } from './view'
export type { Track } from 'livekit-client'
