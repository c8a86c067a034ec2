import { useEffect, useState } from 'react'
import { NoticeChannel, type Notice, type Readable } from '@/api'
import { sounds } from '@/call/preferences'
import { useT } from '@/i18n'
import { announce, Bell, notify, play, unlockSounds } from '@/ui'
import { attended, becomeLeader, holdLock, NewKnocks, unattended } from './watch'

export type Notices = Readable<readonly Notice[] | null>

/** Follows where guests wait for as long as an agent's page is open, and rings for new ones. */
export function useNotices(go: (path: string) => void): Notices {
  const t = useT()
  const [channel] = useState(() => new NoticeChannel())
  useEffect(() => {
    const knocks = new NewKnocks()
    let leads = false
    const stopLeading = becomeLeader(() => (leads = true))
    const bell = new Bell<Notice>((told) => {
      if (sounds('knock')) play('knock')
      const last = told.at(-1)
      if (!last) return
      announce(t('notices.sr', { title: last.title }))
      notify(last.title, t('meetings.waiting', { n: last.waiting }), `aparte-${last.meeting}`, () => go(`/meetings/${last.meeting}`))
    })
    const look = () => {
      const fresh = knocks.see(channel.notices.get() ?? [])
      if (leads && fresh.length > 0) void unattended(fresh).then((alone) => bell.ring(...alone))
    }
    const stop = channel.notices.subscribe(look)
    channel.start()
    return () => {
      stop()
      bell.stop()
      stopLeading()
      channel.close()
    }
    // One channel for the life of the pages; the words and the way are those of when it began.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [channel])
  useUnlockedSounds()
  return channel.notices
}

/** Browsers let a page ring only after a press: any will do. */
function useUnlockedSounds(): void {
  useEffect(() => {
    addEventListener('pointerdown', unlockSounds, { once: true })
    addEventListener('keydown', unlockSounds, { once: true })
    return () => {
      removeEventListener('pointerdown', unlockSounds)
      removeEventListener('keydown', unlockSounds)
    }
  }, [])
}

/** Says to the other pages of this browser that this one rings for its meeting. */
export function useAttended(meetingID: string): void {
  useEffect(() => holdLock(attended(meetingID), true, () => undefined), [meetingID])
}
