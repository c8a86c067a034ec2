// What one may do about one person, in the list of people and on the person's tile alike: everybody for themselves, a host for all.
import { Ban, DoorOpen, ListChecks, MicOff, MonitorX, Speech, Star, StarOff, UserMinus, VideoOff } from 'lucide-react'
import { useCallback, useState, type ReactNode } from 'react'
import { moderates } from '@/call'
import type { Moderation, Person, View } from '@/call/live'
import { useT, Words } from '@/i18n'
import { recoverFocus, useStore } from '@/ui'
import { Confirm, type MenuGroup } from '@/ui/overlays'
import { viewerEntries } from './forViewer'
import { HandOverQuestion, roleEntries, type RoleActs } from './RoleMenu'
import { VolumeDialog } from './VolumeDialog'

/** The acts of a host on one person and on all; each is done when the server and the call have obeyed. */
export interface Moderating {
  mute: (person: Person) => void
  askUnmute: (person: Person) => void
  stopCamera: (person: Person) => void
  stopShare: (person: Person) => void
  spotlight: (identities: readonly string[]) => void
  remove: (person: Person) => Promise<void>
  sendBack: (person: Person) => void
  /** Whether a host has let somebody in, who can then be sent back: guests, and agents where everybody but hosts waits. */
  letIn: (person: Person) => boolean
  /** Opens the question what somebody may do who does not moderate. */
  rights: (person: Person) => void
  /** Opens the question whether to keep a guest out. */
  ban: (person: Person) => void
  /** Of the host alone, who changes roles. */
  roles?: RoleActs
}

const mostInFront = 3

/**
 * The menu of a person, and the question that it may ask. menuOf is the same function for
 * as long as the acts and the state of the call are, so that a tile is drawn again for news of its own person only.
 */
export function usePersonMenu(host: Moderating | undefined, moderation: Moderation, view: View): { menuOf: (person: Person) => MenuGroup[]; question: ReactNode } {
  const t = useT()
  const [asked, setAsked] = useState<Person | null>(null)
  const [given, setGiven] = useState<Person | null>(null)
  const [heard, setHeard] = useState<Person | null>(null)
  const { pins, silenced, selfView, mirror } = useStore(view.state)
  const { spotlight, forbidden } = moderation
  const menuOf = useCallback((person: Person): MenuGroup[] => {
    if (!person.identity) return []
    const own = { entries: viewerEntries(t, person, view, { pins, silenced, selfView, mirror }, setHeard) }
    if (!host) return [own]
    const leads = spotlight.includes(person.identity)
    const letIn = host.letIn(person)
    const front = leads
      ? [{ id: 'back-row', label: t('mod.spotlight.end'), icon: <StarOff aria-hidden="true" />, onAct: () => host.spotlight(spotlight.filter((one) => one !== person.identity)) }]
      : [{ id: 'front', label: t('mod.spotlight'), icon: <Star aria-hidden="true" />, onAct: () => host.spotlight([...spotlight, person.identity].slice(-mostInFront)) }]
    if (person.self) return [own, { entries: front }]
    const maySpeak = moderates(person.role) || (person.role !== 'observer' && !forbidden.includes('speak'))
    return [
      own,
      {
        entries: [
          ...(person.micOn ? [{ id: 'mute', label: t('mod.mute'), icon: <MicOff aria-hidden="true" />, onAct: () => host.mute(person) }] : []),
          ...(!person.micOn && maySpeak ? [{ id: 'ask', label: t('mod.ask'), icon: <Speech aria-hidden="true" />, onAct: () => host.askUnmute(person) }] : []),
          ...(person.picture ? [{ id: 'camera', label: t('mod.camera'), icon: <VideoOff aria-hidden="true" />, onAct: () => host.stopCamera(person) }] : []),
          ...(person.sharing ? [{ id: 'share', label: t('mod.share'), icon: <MonitorX aria-hidden="true" />, onAct: () => host.stopShare(person) }] : []),
          ...front,
          ...(moderates(person.role) ? [] : [{ id: 'rights', label: t('rights.change'), icon: <ListChecks aria-hidden="true" />, onAct: () => host.rights(person) }]),
          // A host was not let in by anybody, so that there is nothing to take back but the place.
          ...(letIn ? [{ id: 'back', label: t('people.back'), icon: <DoorOpen aria-hidden="true" />, onAct: () => host.sendBack(person) }] : []),
        ],
      },
      { entries: host.roles ? roleEntries(t, person, host.roles, setGiven) : [] },
      {
        entries: [
          { id: 'remove', label: t('people.remove.one'), icon: <UserMinus aria-hidden="true" />, danger: true, onAct: () => setAsked(person) },
          ...(letIn ? [{ id: 'ban', label: t('lobbyp.ban'), icon: <Ban aria-hidden="true" />, danger: true, onAct: () => host.ban(person) }] : []),
        ],
      },
    ]
  }, [host, spotlight, forbidden, view, pins, silenced, selfView, mirror, t])
  const question = (
    <>
    <VolumeDialog person={heard} view={view} onClose={() => { setHeard(null); recoverFocus() }} />
    <Confirm
      open={asked !== null} onClose={() => { setAsked(null); recoverFocus() }} cancel={t('common.cancel')} act={t('people.remove')}
      title={<Words id="people.remove.ask" values={{ name: <bdi>{asked?.name ?? ''}</bdi> }} />} onAct={() => (asked && host ? host.remove(asked) : undefined)}
    >
      <p>{t('people.remove.effect')}</p>
    </Confirm>
    {host?.roles ? <HandOverQuestion person={given} roles={host.roles} onClose={() => { setGiven(null); recoverFocus() }} /> : null}
    </>
  )
  return { menuOf, question }
}
