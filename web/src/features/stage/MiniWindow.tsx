// The call in a small window above all others: who speaks, one's microphone, the way out. Where a browser has windows of
// pages for that (Document Picture-in-Picture), the window is drawn here; elsewhere it shows the picture alone.
import { LogOut, Mic, MicOff } from 'lucide-react'
import { useCallback, useEffect, useState, type ReactNode } from 'react'
import { createPortal } from 'react-dom'
import { initials, type Call } from '@/call/live'
import { useT } from '@/i18n'
import { announce, Button, useStore } from '@/ui'
import { Video } from './Media'
import { RecordedMark } from './RecordedMark'

/** What browsers have of https://wicg.github.io/document-picture-in-picture/, which TypeScript does not describe. */
interface Windows { requestWindow: (wish: { width: number; height: number }) => Promise<Window> }

function windowsOfPages(): Windows | undefined {
  return (window as { documentPictureInPicture?: Windows }).documentPictureInPicture
}

const size = { width: 360, height: 270 }

export function useMiniWindow(call: Call, leave: () => void): { offered: boolean; open: boolean; toggle: () => void; content: ReactNode } {
  const t = useT()
  const [opened, setOpened] = useState<Window | null>(null)
  useEffect(() => () => opened?.close(), [opened])
  const toggle = useCallback(async () => {
    const windows = windowsOfPages()
    if (opened) opened.close()
    else if (windows) {
      const mini = await windows.requestWindow(size)
      dress(mini.document, t('stage.mini.title'))
      mini.addEventListener('pagehide', () => setOpened(null))
      setOpened(mini)
    } else if (document.pictureInPictureElement) await document.exitPictureInPicture()
    else {
      const video = pictureOf(call.view.state.get().speaker)
      if (video) await video.requestPictureInPicture()
      else announce(t('stage.mini.none'))
    }
  }, [opened, call, t])
  return {
    offered: windowsOfPages() !== undefined || ('pictureInPictureEnabled' in document && document.pictureInPictureEnabled),
    open: opened !== null,
    // A browser that refuses has said so itself.
    toggle: () => void toggle().catch(() => undefined),
    content: opened ? createPortal(<MiniCall call={call} leave={leave} />, opened.document.body) : null,
  }
}

/** The element that shows the speaker, or any picture. */
function pictureOf(identity: string): HTMLVideoElement | null {
  return document.querySelector<HTMLVideoElement>(`.tile[data-identity="${CSS.escape(identity)}"] video`) ?? document.querySelector<HTMLVideoElement>('.tile:not([data-self="true"]) video')
}

/** Gives the new page the words' direction, the theme and the styles of this one: by link, as our policy wants it. */
function dress(page: Document, title: string): void {
  for (const name of ['lang', 'dir', 'data-theme']) {
    const value = document.documentElement.getAttribute(name)
    if (value !== null) page.documentElement.setAttribute(name, value)
  }
  page.title = title
  for (const sheet of document.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"]')) {
    const link = page.createElement('link')
    link.rel = 'stylesheet'
    link.href = sheet.href
    page.head.append(link)
  }
}

function MiniCall({ call, leave }: { call: Call; leave: () => void }) {
  const t = useT()
  const { people, self, recording } = useStore(call.state)
  const { speaker, mirror } = useStore(call.view.state)
  const person = people.find((one) => one.identity === speaker) ?? people.find((one) => one.self)
  const on = self.mic === 'on'
  return (
    <main className="mini">
      {person ? (
        <div className="tile" data-identity={person.identity}>
          {person.picture && !person.held
            ? <Video key={person.identity} track={person.picture} mirrored={person.self && mirror} label={t('stage.picture', { name: person.name })} />
            : <div className="avatar" aria-hidden="true"><b>{initials(person.name)}</b></div>}
          <div className="caption"><bdi className="name">{person.self ? t('stage.you') : person.name}</bdi></div>
        </div>
      ) : null}
      {recording ? <RecordedMark told={recording} /> : null}
      <div className="mini-bar">
        {self.can.speak ? <Button className={on ? 'mic' : 'mic isoff'} aria-label={t(on ? 'ctl.mic.on.name' : 'ctl.mic.off.name')} icon={on ? <Mic aria-hidden="true" /> : <MicOff aria-hidden="true" />} onClick={() => void call.toggleMic()}>{t(on ? 'ctl.mic.on' : 'ctl.mic.off')}</Button> : null}
        <Button kind="danger" icon={<LogOut aria-hidden="true" className="flip" />} onClick={leave}>{t('ctl.leave')}</Button>
      </div>
    </main>
  )
}
