// What whoever looks on may do about a person, for themselves alone: pin, hear less or nothing; about oneself, how one sees oneself.
import { EyeOff, FlipHorizontal2, Pin, PinOff, RectangleEllipsis, SlidersVertical, UserRound, Volume2, VolumeX } from 'lucide-react'
import type { Person, View, ViewState } from '@/call/live'
import type { useT } from '@/i18n'
import { announce } from '@/ui'
import type { MenuEntry } from '@/ui/overlays'

type T = ReturnType<typeof useT>
type Looking = Pick<ViewState, 'pins' | 'silenced' | 'selfView' | 'mirror'>

export function viewerEntries(t: T, person: Person, view: View, { pins, silenced, selfView, mirror }: Looking, onVolume: (person: Person) => void): MenuEntry[] {
  if (person.self) return selfEntries(t, view, selfView, mirror)
  const { identity, name } = person
  const pinned = pins.includes(identity)
  const off = silenced.includes(identity)
  return [
    {
      id: 'pin', label: t(pinned ? 'pin.out' : 'pin.in'), icon: pinned ? <PinOff aria-hidden="true" /> : <Pin aria-hidden="true" />,
      onAct: () => {
        announce(t(pinned ? 'pin.out.said' : 'pin.said', { name }))
        view.togglePin(identity)
      },
    },
    { id: 'silence', label: t(off ? 'hear.again' : 'hear.mute'), icon: off ? <Volume2 aria-hidden="true" /> : <VolumeX aria-hidden="true" />, onAct: () => view.toggleSilenced(identity) },
    { id: 'volume', label: t('hear.adjust'), icon: <SlidersVertical aria-hidden="true" />, onAct: () => onVolume(person) },
  ]
}

function selfEntries(t: T, view: View, selfView: ViewState['selfView'], mirror: boolean): MenuEntry[] {
  return [
    ...(selfView === 'tile' ? [] : [{ id: 'self-tile', label: t('stage.self.do.tile'), icon: <UserRound aria-hidden="true" />, onAct: () => view.setSelfView('tile') }]),
    ...(selfView === 'small' ? [] : [{ id: 'self-small', label: t('stage.self.do.small'), icon: <RectangleEllipsis aria-hidden="true" />, onAct: () => view.setSelfView('small') }]),
    ...(selfView === 'hidden' ? [] : [{
      id: 'self-hidden', label: t('stage.self.do.hidden'), icon: <EyeOff aria-hidden="true" />,
      onAct: () => {
        view.setSelfView('hidden')
        announce(t('stage.self.hidden.note'))
      },
    }]),
    { id: 'mirror', label: t(mirror ? 'stage.mirror.off' : 'stage.mirror.on'), icon: <FlipHorizontal2 aria-hidden="true" />, onAct: () => view.setMirror(!mirror) },
  ]
}
