// An agent in the lobby: the guests' waiting room, and a page for every way in which it ends.
import { CircleSlash, DoorClosed, LogOut, Bell, TriangleAlert } from 'lucide-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { agent } from '@/api'
import { ErrorNote, Loading, PlainPage, useAdmissionSign } from '@/features/frame'
import { WaitingPage } from '@/features/waiting'
import { useT } from '@/i18n'
import { Button, useStore } from '@/ui'
import { AgentWay } from './way'

interface Props {
  meetingID: string
  /** A host has let the agent in, or nobody has to wait any more. */
  onEnter: () => void
  /** It cannot be entered all the same: not open yet, or no host there. */
  onDoor: () => void
}

export function Waiting({ meetingID, onEnter, onDoor }: Props) {
  const t = useT()
  const way = useWay(meetingID)
  const state = useStore(way.state)
  const status = state.at === 'known' ? state.view.status : ''
  useAdmissionSign(status)
  useEntering(meetingID, status === 'admitted' || status === 'free', onEnter, onDoor)
  const page = (title: string, icon: ReactNode, body: ReactNode) => (
    <PlainPage subtitle={t('frame.agents')} title={title} icon={icon}>
      {body}
      <p><a href={`/meetings/${meetingID}`}>{t('door.meeting')}</a></p>
    </PlainPage>
  )
  if (state.at === 'refused') return page(t('end.nostart'), <TriangleAlert />, <ErrorNote error={state.problem} retry={way.start} />)
  if (state.at === 'asking') return <Loading />
  const { view } = state
  const ask = <Button kind="primary" onClick={() => void way.knock()}>{t('entry.do')}</Button>
  const said = view.knock?.message ? <blockquote className="said"><bdi>{view.knock.message}</bdi></blockquote> : null
  switch (view.status) {
    case 'waiting':
      return <WaitingPage visit={way} view={view} kept={t('lobby.reload')} />
    case 'entry':
      return page(t('wait.ask'), <Bell />, <><p>{t('wait.ask.more')}</p>{ask}</>)
    case 'withdrawn':
      return page(t('end.withdrawn'), <LogOut className="flip" />, <><p>{t('end.withdrawn.more')}</p>{ask}</>)
    case 'removed':
      return page(t('end.removed'), <CircleSlash />, <><p>{t('wait.removed.more')}</p>{ask}</>)
    case 'denied':
      return page(t('end.denied'), <CircleSlash />, <>{said}<p>{t('end.denied.account')}</p></>)
    case 'banned':
      return page(t('end.banned'), <CircleSlash />, <>{said}<p>{t('end.denied.account')}</p></>)
    case 'ended':
      return page(t('end.ended'), <DoorClosed />, <p>{t('end.ended.more')}</p>)
    default:
      return <Loading />
  }
}

function useWay(meetingID: string): AgentWay {
  const [way] = useState(() => new AgentWay(meetingID))
  useEffect(() => {
    way.start()
    return way.dispose
  }, [way])
  return way
}

/** Goes in by itself, once it may be. */
function useEntering(meetingID: string, may: boolean, onEnter: () => void, onDoor: () => void): void {
  const on = useRef({ onEnter, onDoor })
  useEffect(() => {
    on.current = { onEnter, onDoor }
  })
  useEffect(() => {
    if (!may) return
    let gone = false
    agent.joinMeeting(meetingID).then(() => { if (!gone) on.current.onEnter() }, () => { if (!gone) on.current.onDoor() })
    return () => { gone = true }
  }, [may, meetingID])
}
