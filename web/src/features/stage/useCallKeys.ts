import { intents } from '@/call'
import type { Call } from '@/call/live'
import { preferences, type CommandKey } from '@/call/preferences'
import { useKeys, type PanelName } from '@/features/controls'
import { useStore } from '@/ui'

interface Acts {
  may: { hand: boolean }
  host: boolean
  cam: () => void
  share: () => void
  toggle: (panel: PanelName) => void
  help: () => void
  escape: () => void
  /** Where the browser has them: full screen and the small window. */
  full?: () => void
  mini?: () => void
}

/** The single keys of the call, Space to talk, F6 from region to region, Escape for the panel. */
export function useCallKeys(call: Call, { may, host, cam, share, toggle, help, escape, full, mini }: Acts): void {
  const { keys } = useStore(intents)
  const { keysOff, talk } = useStore(preferences)
  useKeys(keys, {
    keys: without(keysOff, {
      // Where one holds to talk, no key leaves the microphone on.
      ...(talk === 'toggle' ? { m: () => void call.toggleMic() } : {}),
      v: cam,
      s: () => {
        if (call.state.get().self.can.share) share()
      },
      c: () => toggle('chat'),
      p: () => toggle('people'),
      ...(may.hand ? { h: call.toggleHand } : {}),
      ...(host ? { l: () => toggle('lobby') } : {}),
      ...(full ? { f: full } : {}),
      ...(mini ? { i: mini } : {}),
      '?': help,
    }),
    talk: keysOff.includes(' ') ? null : (on) => void (call.state.get().self.can.speak && call.setMic(on)),
    region: goToRegion,
    escape,
  })
}

function without(off: readonly CommandKey[], keys: Partial<Record<CommandKey, () => void>>): Record<string, () => void> {
  return Object.fromEntries(Object.entries(keys).filter(([key]) => !off.includes(key as CommandKey)))
}

const regions = ['bar', 'question', 'tiles', 'panel', 'top']

/** F6: round bar, a question if there is one, tiles, panel, top, so that a long lobby is never in the way of the microphone. */
function goToRegion(step: 1 | -1): void {
  const present = regions.map((name) => document.querySelector<HTMLElement>(`[data-region="${name}"]`)).filter((element) => element !== null)
  const at = present.findIndex((element) => element.contains(document.activeElement))
  const next = present[(at + step + present.length) % present.length]
  // Its heading, also where that is in something that scrolls and has the focus for it.
  const target = next?.matches('[tabindex]') ? next : (next?.querySelector<HTMLElement>('h1[tabindex], h2[tabindex]') ?? next?.querySelector<HTMLElement>('button, [tabindex]'))
  target?.focus()
}
