// An agent's way into a meeting: a door with the device check, then the call with the lobby at hand.
import { useMutation, useQuery } from '@tanstack/react-query'
import { Bell, Building2, DoorClosed, LogOut, MonitorSmartphone, Video, WifiOff } from 'lucide-react'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { agent, HostChannel, isProblem, type Knock, type Meeting, type Participant } from '@/api'
import { moderates, obstacle, type Role } from '@/call'
import type { Over, Person } from '@/call/live'
import { DeviceCheckCard } from '@/features/devices'
import { ErrorNote, Frame, Loading, Obstructed, PlainPage } from '@/features/frame'
import { BanDialog, Door, LobbyPanel, RightsDialog, useKnockSign, useReplySign } from '@/features/lobby'
import { LinkDialog, useNoLongerActs } from '@/features/meeting'
import { NoticeChip, useAttended, type Notices } from '@/features/notices'
import { CallPage } from '@/features/stage'
import { useT } from '@/i18n'
import { Button, Heading, recoverFocus, unlockSounds, useStore, useTitle } from '@/ui'
import { useHostActs } from './useHostActs'
import { Waiting } from './Waiting'

const insideKey = (meetingID: string) => `aparte.inside.${meetingID}`

export function HostCall({ meetingID, notices }: { meetingID: string; notices: Notices }) {
  const t = useT()
  const hindrance = obstacle(window)
  const { data, error, refetch } = useQuery({ queryKey: ['meeting', meetingID], queryFn: () => agent.meeting(meetingID) })
  if (hindrance) return <Obstructed why={hindrance} />
  if (data) return data.state === 'ended' ? <Finished why="ended" post={data.post} onReturn={() => undefined} /> : <Hosting meeting={data} notices={notices} />
  return error ? <PlainPage subtitle={t('frame.agents')} title={t('end.nostart')}><ErrorNote error={error} retry={() => void refetch()} /></PlainPage> : <Loading />
}

type Where = { at: 'door' } | { at: 'waiting' } | { at: 'inside' } | { at: 'over'; why: Over }

function Hosting({ meeting, notices }: { meeting: Meeting; notices: Notices }) {
  // A reload in the call goes straight back into it.
  const [where, setWhere] = useState<Where>(() => ({ at: wasInside(meeting.id) ? 'inside' : 'door' }))
  const [role, setRole] = useState<Role>(meeting.role)
  const { channel, door } = useDoor(meeting.id, moderates(role))
  useAttended(meeting.id)
  const waits = !moderates(role)
  const onOver = useCallback((why: Over) => {
    setInside(meeting.id, false)
    void whereTo(meeting.id, why, waits).then(setWhere)
  }, [meeting.id, waits])
  const enter = () => {
    unlockSounds()
    setInside(meeting.id, true)
    setWhere({ at: 'inside' })
  }
  if (where.at === 'over') return <Finished why={where.why} post={meeting.post} onReturn={enter} />
  if (where.at === 'waiting') return <Waiting meetingID={meeting.id} onEnter={enter} onDoor={() => setWhere({ at: 'door' })} />
  return where.at === 'door' ? <AtDoor meeting={meeting} door={door} onEnter={enter} onWait={() => setWhere({ at: 'waiting' })} /> : <Inside meeting={meeting} role={role} onRole={setRole} channel={channel} door={door} notices={notices} onOver={onOver} />
}

/** Whoever does not moderate may have been sent back to the lobby, or have to knock anew: only the server's status says so. */
async function whereTo(meetingID: string, why: Over, waits: boolean): Promise<Where> {
  if (waits && (why === 'removed' || why === 'refused')) {
    try {
      const { status } = await agent.ownKnock(meetingID)
      if (status !== 'free' && status !== 'admitted' && status !== 'ended') return { at: 'waiting' }
    } catch {
      // Then what the call said is all there is to say.
    }
  }
  return { at: 'over', why }
}

/** The host's channel and door for as long as the page is open and its person moderates; tells the server when a person has seen who waits. */
function useDoor(meetingID: string, watches: boolean): { channel: HostChannel; door: Door } {
  const both = useMemo(() => {
    const channel = new HostChannel(meetingID)
    return { channel, door: new Door(meetingID, channel), watches }
  }, [meetingID, watches])
  useEffect(() => {
    const { channel, door } = both
    if (!both.watches) return
    const seen = () => {
      // After the next paint of a visible page, what the channel said is on the screen.
      if (document.visibilityState === 'visible') requestAnimationFrame(() => setTimeout(channel.seen, 0))
    }
    const stop = channel.view.subscribe(seen)
    document.addEventListener('visibilitychange', seen)
    addEventListener('pagehide', door.flush)
    channel.start()
    return () => {
      stop()
      document.removeEventListener('visibilitychange', seen)
      removeEventListener('pagehide', door.flush)
      door.dispose()
      channel.close()
    }
  }, [both])
  return both
}

function AtDoor({ meeting, door, onEnter, onWait }: { meeting: Meeting; door: Door; onEnter: () => void; onWait: () => void }) {
  const t = useT()
  const { waiting } = useStore(door.state)
  useTitle(waiting.length > 0 ? t('stage.title.waiting', { n: waiting.length, title: meeting.title }) : meeting.title)
  useKnockSign(waiting, meeting.title)
  return (
    <Frame subtitle={t('frame.agents')}>
      <main id="main" className="wait">
        <section className="card status">
          <div className="stack-s">
            <p className="sm"><a href={`/meetings/${meeting.id}`}>{t(moderates(meeting.role) ? 'door.links' : 'door.meeting')}</a></p>
            <Heading><bdi>{meeting.title}</bdi></Heading>
            <p className="muted">{t('door.body')}</p>
          </div>
          {waiting.length > 0 ? <p className="note warn"><Bell aria-hidden="true" /><span>{t('sr.knock', { n: waiting.length, name: waiting[0]?.name ?? '' })}</span></p> : null}
          {moderates(meeting.role)
            ? <Button kind="primary" big icon={<Video aria-hidden="true" />} onClick={onEnter}>{t('door.enter')}</Button>
            : <ComeIn meeting={meeting} onEnter={onEnter} onWait={onWait} />}
        </section>
        <DeviceCheckCard />
      </main>
    </Frame>
  )
}

/** Who does not moderate comes in once a host has opened the meeting, and not while the hosts have left; where everybody but hosts waits, by the lobby. */
function ComeIn({ meeting, onEnter, onWait }: { meeting: Meeting; onEnter: () => void; onWait: () => void }) {
  const t = useT()
  const come = useMutation({ mutationFn: () => comeIn(meeting.id), onSuccess: (how) => (how === 'in' ? onEnter() : onWait()) })
  const early = isProblem(come.error, 'meeting-not-open', 'no-host')
  return (
    <>
      {early ? <p className="note warn" role="status"><DoorClosed aria-hidden="true" /><span>{t(isProblem(come.error, 'no-host') ? 'door.nohost' : 'door.notopen')}</span></p> : come.error ? <ErrorNote error={come.error} /> : null}
      <Button kind="primary" big icon={<Video aria-hidden="true" />} busy={come.isPending} onClick={() => come.mutate()}>{t('door.enter')}</Button>
    </>
  )
}

/** Asks to enter where that is necessary. */
async function comeIn(meetingID: string): Promise<'in' | 'waits'> {
  try {
    await agent.joinMeeting(meetingID)
    return 'in'
  } catch (problem) {
    if (isProblem(problem, 'must-knock')) await agent.knock(meetingID)
    else if (!isProblem(problem, 'denied', 'banned')) throw problem
    return 'waits'
  }
}

interface InsideProps {
  meeting: Meeting
  role: Role
  onRole: (role: Role) => void
  channel: HostChannel
  door: Door
  notices: Notices
  onOver: (why: Over) => void
}

function Inside({ meeting, role, onRole, channel, door, notices, onOver }: InsideProps) {
  const t = useT()
  const { waiting } = useStore(door.state)
  const view = useStore(channel.view)
  const locked = view.meeting?.locked ?? meeting.locked
  const [inviting, setInviting] = useState(false)
  const [asked, setAsked] = useState<{ what: 'rights'; person: Person } | { what: 'ban'; knock: Knock } | null>(null)
  useKnockSign(waiting, meeting.title)
  useReplySign(waiting)
  const grant = useCallback(() => agent.joinMeeting(meeting.id), [meeting.id])
  const letIn = useLetIn(view.participants)
  const questions = useMemo(() => {
    const ban = (person: Person) => {
      const knock = door.admitted(person.identity)
      if (knock) setAsked({ what: 'ban', knock })
    }
    return { letIn, rights: (person: Person) => setAsked({ what: 'rights', person }), ban }
  }, [door, letIn])
  const { onOne, onAll, unlock, tried, error, forget } = useHostActs(meeting.id, role === 'host', door, questions)
  const answered = () => {
    setAsked(null)
    recoverFocus()
  }
  const host = {
    waiting: waiting.length,
    firstWaiting: waiting[0]?.name ?? '',
    lobby: <LobbyPanel door={door} connection={channel.connection} locked={locked} unlock={unlock} />,
    onOne,
    onAll,
    elsewhere: <NoticeChip notices={notices} except={meeting.id} />,
    invite: () => setInviting(true),
    endForAll: () => tried(() => agent.endMeeting(meeting.id).then(() => onOver('ended'))),
  }
  return (
    <>
      {error ? <div className="toast"><ErrorNote error={error} retry={forget} /></div> : null}
      <CallPage title={meeting.title} caller={{ meeting: meeting.id, grant }} onOver={onOver} onRole={onRole} {...(moderates(role) ? { host } : {})} />
      <LinkDialog meeting={meeting} open={inviting && moderates(role)} onClose={() => setInviting(false)} />
      {asked?.what === 'rights' ? <RightsDialog name={asked.person.name} permissions={door.given(asked.person.identity)} observer={asked.person.role === 'observer'} act={t('rights.set')} onAct={(rights) => void tried(() => door.permit(asked.person.identity, rights))} onClose={answered} /> : null}
      {asked?.what === 'ban' ? <BanDialog knock={asked.knock} onBan={() => door.ban(asked.knock)} onClose={answered} /> : null}
    </>
  )
}

/** Whom a host has let in, who can so be sent back. Agents are known by what the server says of them; it changes only with that. */
function useLetIn(participants: readonly Participant[]): (person: Person) => boolean {
  const agents = participants.filter((one) => one.knock).map((one) => one.identity).join(' ')
  return useCallback((person: Person) => person.outside || agents.split(' ').includes(person.identity), [agents])
}

function Finished({ why, post, onReturn }: { why: Over; post: string; onReturn: () => void }) {
  const t = useT()
  const noLongerActs = useNoLongerActs(post, why === 'removed' || why === 'refused')
  const pages = {
    left: ['end.left', <LogOut key="i" className="flip" />, 'end.left.more'],
    ended: ['end.ended', <DoorClosed key="i" />, 'end.ended.host'],
    removed: ['end.removed', <DoorClosed key="i" />, 'end.removed.host'],
    elsewhere: ['end.elsewhere', <MonitorSmartphone key="i" />, 'end.elsewhere.more'],
    refused: ['end.lost', <WifiOff key="i" />, 'end.lost.more'],
    unauthenticated: ['end.lost', <WifiOff key="i" />, 'signin.expired'],
    membership: ['end.membership', <Building2 key="i" />, 'end.membership.more'],
  } as const
  const [title, icon, body] = pages[noLongerActs ? 'membership' : why]
  const returnable = !noLongerActs && (why === 'left' || why === 'elsewhere' || why === 'refused')
  return (
    <PlainPage subtitle={t('frame.agents')} title={t(title)} icon={icon}>
      <p>{t(body)}</p>
      <div className="row">
        {returnable ? <Button kind="primary" onClick={onReturn}>{t('end.return')}</Button> : null}
        <a className={`btn ${returnable ? 'secondary' : 'primary'}`} href="/">{t('meetings.title')}</a>
      </div>
    </PlainPage>
  )
}

function wasInside(meetingID: string): boolean {
  try {
    return sessionStorage.getItem(insideKey(meetingID)) !== null
  } catch {
    return false
  }
}

function setInside(meetingID: string, inside: boolean): void {
  try {
    if (inside) sessionStorage.setItem(insideKey(meetingID), '1')
    else sessionStorage.removeItem(insideKey(meetingID))
  } catch {
    // A reload will ask at the door again.
  }
}
