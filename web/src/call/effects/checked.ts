// The blur in the device check, as it will be in the call.
import type { CheckBlur } from '../check'
import { preferences } from '../preferences'
import { canBlur } from './able'
import { strengthOf } from './strength'

export const checkBlur: CheckBlur = {
  wished: () => preferences.get().blur !== 'off',
  subscribe: preferences.subscribe,
  put: async (camera, gaveUp) => {
    const [track] = camera.getVideoTracks()
    if (!track || !canBlur()) throw new Error('nothing to blur, or nothing to blur it with')
    const { blurred } = await import('./blurred')
    const worked = blurred(track, strengthOf(preferences), gaveUp)
    return { stream: new MediaStream([worked.track]), stop: worked.stop }
  },
  unwish: () => preferences.change({ blur: 'off' }),
}
