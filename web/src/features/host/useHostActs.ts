import { useMemo, useState } from 'react'
import { agent } from '@/api'
import type { Person, Right } from '@/call/live'
import type { Door } from '@/features/lobby'
import type { Moderating, OnAll } from '@/features/people'
import { useT } from '@/i18n'
import { announce } from '@/ui'

interface HostActs {
  onOne: Moderating
  onAll: OnAll
  unlock: () => void
  /** Does something that may be refused; the refusal is kept to be shown. */
  tried: (act: () => Promise<unknown>) => Promise<void>
  /** The last refusal, until it is forgotten. */
  error: unknown
  forget: () => void
}

interface Questions {
  rights: Moderating['rights']
  ban: Moderating['ban']
  letIn: Moderating['letIn']
}

/**
 * What a host does in the call, on one and on all. It stays the same for as long as the meeting and one's part in it do
 * (questions must too): every tile carries these acts, and a knock is no reason to draw tiles again.
 */
export function useHostActs(meetingID: string, isMain: boolean, door: Door, questions: Questions): HostActs {
  const t = useT()
  const [error, setError] = useState<unknown>(null)
  const acts = useMemo(() => {
    const tried = async (act: () => Promise<unknown>) => {
      setError(null)
      try {
        await act()
      } catch (problem) {
        setError(problem)
      }
    }
    const act = (done: string, does: (identity: string) => Promise<unknown>) => (person: Person) => void tried(() => does(person.identity).then(() => announce(t(done, { name: person.name }))))
    const forAll = (done: string, does: () => Promise<unknown>) => void tried(() => does().then(() => announce(t(done))))
    const roles = {
      name: (person: Person, as: 'cohost' | 'participant') => void tried(() => agent.setRoleInCall(meetingID, person.identity, as).then(() => announce(t(`role.now.${as}`, { name: person.name })))),
      handOver: (person: Person) => tried(() => agent.handOverInCall(meetingID, person.identity).then(() => announce(t('role.now.host', { name: person.name })))),
    }
    const onOne: Moderating = {
      mute: act('mod.done.mute', (identity) => agent.mute(meetingID, identity)),
      askUnmute: act('mod.done.ask', (identity) => agent.askUnmute(meetingID, identity)),
      stopCamera: act('mod.done.camera', (identity) => agent.stopCamera(meetingID, identity)),
      stopShare: act('mod.done.share', (identity) => agent.stopShare(meetingID, identity)),
      spotlight: (identities) => void tried(() => agent.spotlight(meetingID, identities)),
      remove: (person) => tried(() => agent.removeParticipant(meetingID, person.identity)),
      sendBack: act('people.back.done', (identity) => door.sendBack(identity)),
      ...questions,
      ...(isMain ? { roles } : {}),
    }
    const onAll: OnAll = {
      muteAll: () => forAll('mod.done.muteall', () => agent.muteAll(meetingID)),
      askAll: () => forAll('mod.done.askall', () => agent.askUnmuteAll(meetingID)),
      allow: (right: Right, may: boolean) => forAll('mod.done.rights', () => agent.permitAll(meetingID, { [right]: may })),
      lock: (locked: boolean) => void tried(() => agent.lock(meetingID, locked)),
    }
    return { onOne, onAll, unlock: () => onAll.lock(false), tried, forget: () => setError(null) }
  }, [meetingID, isMain, door, questions, t])
  return { ...acts, error }
}
