// The bar below the tiles. Every control bears a word; its accessible name says the state, then the act.
import { Bell, BellOff, ChevronUp, CircleDot, DoorOpen, Ellipsis, Hand, Keyboard, LogOut, MessageSquare, Mic, MicOff, MonitorUp, MonitorX, PhoneOff, Settings, SmilePlus, Timer, Users, Video, VideoOff } from 'lucide-react'
import { useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react'
import { intents } from '@/call'
import type { Reaction } from '@/api'
import { canBlur } from '@/call/effects/able'
import { reactions, type CallState, type Self } from '@/call/live'
import { blurs, preferences } from '@/call/preferences'
import { useT } from '@/i18n'
import { useStore } from '@/ui'
import { Confirm, MenuButton, type MenuEntry, type MenuGroup } from '@/ui/overlays'
import { ReactionIcon } from './ReactionIcon'
import { useDevices, type DeviceList } from './useDevices'
import './controls.css'

export type PanelName = 'lobby' | 'people' | 'chat'

interface Props {
  self: Self
  count: number
  unread: number
  /** One's own place among the raised hands; 0: not raised. */
  hand: number
  /** What the hosts have not forbidden to all. */
  may: { hand: boolean; react: boolean }
  panel: PanelName | null
  onPanel: (panel: PanelName) => void
  acts: {
    mic: () => void
    /** Where one holds to talk: true on press, false on release. */
    hold: ((on: boolean) => void) | null
    cam: () => void
    share: () => void
    hand: () => void
    react: (reaction: Reaction) => void
    use: (kind: 'audioinput' | 'videoinput' | 'audiooutput', id: string) => void
    help: () => void
    settings: () => void
    leave: () => void
  }
  /** Present for hosts. */
  host?: { waiting: number; endForAll: () => Promise<void>; timer: () => void; record: (() => void) | null }
  phase: CallState['phase']['is']
}

export function ControlBar({ self, count, unread, hand, may, panel, onPanel, acts, host }: Props) {
  const t = useT()
  const reacting = useReactions(acts.react)
  const shareable = self.can.share && 'getDisplayMedia' in navigator.mediaDevices
  return (
    <nav className="bar" aria-label={t('ctl.bar')} data-region="bar">
      <span className="ks">
        <MicButton self={self} onPress={acts.mic} hold={acts.hold} />
        <DeviceArrow label={t('ctl.mic.choose')} kinds={['mic', 'speaker']} choose={acts.use} />
      </span>
      <span className="ks">
        <CamButton self={self} onPress={acts.cam} />
        <DeviceArrow label={t('ctl.cam.choose')} kinds={['cam']} choose={acts.use} />
      </span>
      {shareable ? (
        <Key className={`hide-s ${self.sharing ? 'sharing' : ''}`} icon={self.sharing ? <MonitorX aria-hidden="true" /> : <MonitorUp aria-hidden="true" />} onPress={acts.share}>{t(self.sharing ? 'ctl.sharing' : 'ctl.share')}</Key>
      ) : null}
      {may.hand || hand > 0 ? <Key className={`hide-s ${hand > 0 ? 'sharing' : ''}`} icon={<Hand aria-hidden="true" />} name={t(hand > 0 ? 'ctl.hand.up' : 'ctl.hand.down')} onPress={acts.hand}>{t('ctl.hand')}</Key> : null}
      {may.react ? <MenuButton label={t('ctl.react')} className="k hide-s" placement="top" button={<><SmilePlus aria-hidden="true" /><span>{t('ctl.react')}</span></>} groups={[{ entries: reacting }]} /> : null}
      <span className="sep hide-s" />
      {host ? <Key icon={<DoorOpen aria-hidden="true" />} expanded={panel === 'lobby'} badge={host.waiting} knock onPress={() => onPanel('lobby')} says={t('meetings.waiting', { n: host.waiting })}>{t('ctl.lobby')}</Key> : null}
      <Key className="hide-s" icon={<Users aria-hidden="true" />} expanded={panel === 'people'} badge={count} onPress={() => onPanel('people')} says={t('meetings.present', { n: count })}>{t('ctl.people')}</Key>
      <Key className={host ? 'hide-s' : ''} icon={<MessageSquare aria-hidden="true" />} expanded={panel === 'chat'} badge={unread} onPress={() => onPanel('chat')} says={t('chat.unread', { n: unread })}>{t('ctl.chat')}</Key>
      <MoreMenu self={self} hand={hand} may={may} shareable={shareable} acts={acts} onPanel={onPanel} phoneChat={host !== undefined} {...(host ? { timer: host.timer, record: host.record } : {})} />
      <span className="sep hide-s" />
      {host ? <HostLeave onLeave={acts.leave} endForAll={host.endForAll} /> : <Key className="leave" icon={<LogOut aria-hidden="true" className="flip" />} onPress={acts.leave}>{t('ctl.leave')}</Key>}
    </nav>
  )
}

interface KeyProps {
  icon: ReactNode
  onPress: () => void
  className?: string
  /** The whole accessible name, when the word is not enough. */
  name?: string
  /** Said after the word, such as how many wait. */
  says?: string
  expanded?: boolean
  badge?: number
  knock?: boolean
  disabled?: boolean
  children: string
}

function Key({ icon, onPress, className = '', name, says, expanded, badge = 0, knock, disabled, children }: KeyProps) {
  const label = name ?? (says && badge > 0 ? `${children}, ${says}` : undefined)
  return (
    <button type="button" className={`k ${className}`} aria-label={label} aria-expanded={expanded} aria-disabled={disabled || undefined} onClick={disabled ? undefined : onPress}>
      {icon}
      <span>{children}</span>
      {/* Drawn, not written: the number is in the accessible name, with its meaning. */}
      {badge > 0 ? <span className={`n ${knock ? 'kn' : ''}`} data-n={badge} /> : null}
    </button>
  )
}

function MicButton({ self, onPress, hold }: { self: Self; onPress: () => void; hold: ((on: boolean) => void) | null }) {
  const t = useT()
  if (!self.can.speak) return <Key className="isoff" icon={<MicOff aria-hidden="true" />} disabled onPress={onPress} name={t('ctl.mic.closed')}>{t('ctl.mic.off')}</Key>
  const on = self.mic === 'on'
  if (hold) return <HoldButton on={on} hold={hold} />
  const name = t(on ? 'ctl.mic.on.name' : self.mic === 'starting' ? 'ctl.mic.starting' : 'ctl.mic.off.name')
  return <Key className={on ? 'ison' : self.mic === 'off' ? 'isoff' : 'starting'} icon={on ? <Mic aria-hidden="true" /> : <MicOff aria-hidden="true" />} name={name} onPress={onPress}>{t(on || self.mic === 'starting' ? 'ctl.mic.on' : 'ctl.mic.off')}</Key>
}

/** The microphone is on for as long as the button is held, by hand or with Space. */
function HoldButton({ on, hold }: { on: boolean; hold: (on: boolean) => void }) {
  const t = useT()
  const key = (down: boolean) => (event: KeyboardEvent) => {
    if (event.key !== ' ' && event.key !== 'Enter') return
    event.preventDefault()
    if (!event.repeat) hold(down)
  }
  const press = (event: PointerEvent) => {
    event.currentTarget.setPointerCapture(event.pointerId)
    hold(true)
  }
  const release = () => hold(false)
  return (
    <button
      type="button" className={`k hold ${on ? 'ison' : 'isoff'}`} aria-label={t(on ? 'ctl.mic.held.name' : 'ctl.mic.hold.name')} onPointerDown={press} onPointerUp={release} onPointerCancel={release} onKeyDown={key(true)} onKeyUp={key(false)}
      onBlur={release} onContextMenu={(event) => event.preventDefault()}
    >
      {on ? <Mic aria-hidden="true" /> : <MicOff aria-hidden="true" />}
      <span>{t(on ? 'ctl.mic.on' : 'ctl.mic.hold')}</span>
    </button>
  )
}

function CamButton({ self, onPress }: { self: Self; onPress: () => void }) {
  const t = useT()
  if (!self.can.camera) return <Key className="isoff" icon={<VideoOff aria-hidden="true" />} disabled onPress={onPress} name={t('ctl.cam.closed')}>{t('ctl.cam.off')}</Key>
  const on = self.cam === 'on'
  const name = t(on ? 'ctl.cam.on.name' : self.cam === 'starting' ? 'ctl.cam.starting' : 'ctl.cam.off.name')
  return <Key className={on ? 'ison' : self.cam === 'off' ? 'isoff' : 'starting'} icon={on ? <Video aria-hidden="true" /> : <VideoOff aria-hidden="true" />} name={name} onPress={onPress}>{t(on || self.cam === 'starting' ? 'ctl.cam.on' : 'ctl.cam.off')}</Key>
}

/** Beside a device's button, where the bar is wide: which microphone, camera, speaker. Elsewhere the menu "more" has the same. */
function DeviceArrow({ label, kinds, choose }: { label: string; kinds: readonly DeviceList['kind'][]; choose: Props['acts']['use'] }) {
  const t = useT()
  const [open, setOpen] = useState(false)
  const devices = useDeviceGroups(open, 1, choose).filter((group) => kinds.includes(group.kind))
  const blur = useBlurGroup(open)
  const groups = kinds.includes('cam') ? [...devices, ...blur] : devices
  const none: MenuGroup = { entries: [{ id: 'none', label: t('devices.noname'), onAct: () => undefined }] }
  return <MenuButton label={label} className="k arrow" placement="top" button={<ChevronUp aria-hidden="true" />} groups={groups.length > 0 ? groups : [none]} onOpenChange={setOpen} />
}

function useDeviceGroups(wanted: boolean, least: number, choose: Props['acts']['use']): (MenuGroup & { kind: DeviceList['kind'] })[] {
  const t = useT()
  return useDevices(wanted, least).map((list) => ({
    kind: list.kind,
    title: t(`devices.${list.kind}.used`),
    entries: list.devices.map((device, i) => ({ id: `${list.kind}/${device.id}`, label: device.label || t('devices.nameless', { n: i + 1 }), chosen: device.chosen, onAct: () => choose(list.media, device.id) })),
  }))
}

/** What becomes of what is behind the person, where the browser can do something about it. */
function useBlurGroup(wanted: boolean): MenuGroup[] {
  const t = useT()
  const { blur } = useStore(preferences)
  if (!wanted || !canBlur()) return []
  return [{ title: t('blur.title'), entries: blurs.map((one) => ({ id: `blur/${one}`, label: t(`blur.${one}`), chosen: one === blur, onAct: () => preferences.change({ blur: one }) })) }]
}

function useReactions(show: (reaction: Reaction) => void): MenuEntry[] {
  const t = useT()
  return reactions.map((reaction) => ({ id: `react/${reaction}`, label: t(`react.${reaction}`), icon: <ReactionIcon reaction={reaction} />, onAct: () => show(reaction) }))
}

type MoreProps = Pick<Props, 'self' | 'hand' | 'may' | 'acts' | 'onPanel'> & { shareable: boolean; phoneChat: boolean; timer?: () => void; record?: (() => void) | null }

/** Where the bar has room for little, as controls.css says it, too. */
const narrowBar = '(max-width: 48rem), (max-height: 30rem)'

function MoreMenu({ self, hand, may, shareable, acts, onPanel, phoneChat, timer, record }: MoreProps) {
  const t = useT()
  const { sounds } = useStore(intents)
  const [open, setOpen] = useState(false)
  const devices = useDeviceGroups(open, 2, acts.use)
  const reactionEntries = useReactions(acts.react)
  // What the narrow bar leaves out is here; the wide bar hides these entries by their own buttons.
  const narrow = open && matchMedia(narrowBar).matches
  const blur = useBlurGroup(narrow && self.can.camera)
  const groups: MenuGroup[] = [
    {
      entries: narrow
        ? [
            ...(shareable ? [{ id: 'share', label: t(self.sharing ? 'ctl.sharing' : 'ctl.share'), icon: <MonitorUp aria-hidden="true" />, onAct: acts.share }] : []),
            ...(may.hand || hand > 0 ? [{ id: 'hand', label: t(hand > 0 ? 'ctl.hand.lower' : 'ctl.hand.raise'), icon: <Hand aria-hidden="true" />, onAct: acts.hand }] : []),
            { id: 'people', label: t('ctl.people'), icon: <Users aria-hidden="true" />, onAct: () => onPanel('people') },
            ...(phoneChat ? [{ id: 'chat', label: t('ctl.chat'), icon: <MessageSquare aria-hidden="true" />, onAct: () => onPanel('chat') }] : []),
          ]
        : [],
    },
    { title: t('ctl.react'), entries: narrow && may.react ? reactionEntries : [] },
    ...devices,
    ...blur,
    {
      entries: [
        ...(timer ? [{ id: 'timer', label: t('timer.title'), icon: <Timer aria-hidden="true" />, onAct: timer }] : []),
        ...(record ? [{ id: 'record', label: t('rec.menu'), icon: <CircleDot aria-hidden="true" />, onAct: record }] : []),
        { id: 'sounds', label: t(sounds ? 'sounds.off' : 'sounds.on'), icon: sounds ? <BellOff aria-hidden="true" /> : <Bell aria-hidden="true" />, onAct: () => intents.change({ sounds: !sounds }) },
        { id: 'settings', label: t('settings.title'), icon: <Settings aria-hidden="true" />, onAct: acts.settings },
        { id: 'keys', label: t('keys.title'), icon: <Keyboard aria-hidden="true" />, onAct: acts.help },
      ],
    },
  ]
  return <MenuButton label={t('ctl.more')} className="k" placement="top" button={<><Ellipsis aria-hidden="true" /><span>{t('ctl.more')}</span></>} groups={groups} onOpenChange={setOpen} />
}

function HostLeave({ onLeave, endForAll }: { onLeave: () => void; endForAll: () => Promise<void> }) {
  const t = useT()
  const [asked, setAsked] = useState(false)
  return (
    <>
      <MenuButton
        label={t('ctl.leave')} className="k leave" placement="top end"
        button={<><LogOut aria-hidden="true" className="flip" /><span>{t('ctl.leave')}</span></>}
        groups={[{
          entries: [
            { id: 'me', label: t('ctl.leave.me'), icon: <LogOut aria-hidden="true" className="flip" />, onAct: onLeave },
            { id: 'all', label: t('ctl.leave.all'), icon: <PhoneOff aria-hidden="true" />, danger: true, onAct: () => setAsked(true) },
          ],
        }]}
      />
      <Confirm open={asked} title={t('ctl.leave.all.ask')} cancel={t('common.cancel')} act={t('ctl.leave.all')} onAct={endForAll} onClose={() => setAsked(false)}>
        <p>{t('ctl.leave.all.effect')}</p>
      </Confirm>
    </>
  )
}
