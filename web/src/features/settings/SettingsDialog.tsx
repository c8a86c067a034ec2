// Settings, in the call and before it. Everything applies at once: there is nothing to save.
import { ArrowLeft, Accessibility, Bell, ChevronRight, Keyboard, Languages, Mic, Network, Video } from 'lucide-react'
import { useLayoutEffect, useRef, useState, useSyncExternalStore, type ReactNode } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import { useT } from '@/i18n'
import { Button } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { AccessPage, KeysPage, LanguagePage, NetworkPage, NoticesPage, PicturePage, SoundPage, type PageProps } from './pages'
import './settings.css'

const subjects = [
  { id: 'sound', icon: <Mic aria-hidden="true" />, Page: SoundPage },
  { id: 'picture', icon: <Video aria-hidden="true" />, Page: PicturePage },
  { id: 'network', icon: <Network aria-hidden="true" />, Page: NetworkPage },
  { id: 'notices', icon: <Bell aria-hidden="true" />, Page: NoticesPage },
  { id: 'keys', icon: <Keyboard aria-hidden="true" />, Page: KeysPage },
  { id: 'access', icon: <Accessibility aria-hidden="true" />, Page: AccessPage },
  { id: 'language', icon: <Languages aria-hidden="true" />, Page: LanguagePage },
] as const

type Subject = (typeof subjects)[number]

/** Kept above both layouts, so that a phone that is turned stays where it was. */
interface Chosen { chosen: Subject | null; choose: (subject: Subject | null) => void }

interface Props extends PageProps {
  /** The subject to begin with; without it the first, on a phone the list. */
  first?: Subject['id'] | null
  onClose: () => void
}

export function SettingsDialog({ first, onClose, ...page }: Props) {
  const t = useT()
  const narrow = useNarrow()
  const [chosen, choose] = useState<Subject | null>(() => subjects.find(({ id }) => id === first) ?? null)
  return (
    <Dialog open onClose={onClose} closeLabel={t('common.close')} title={t('settings.title')}>
      {narrow ? <Listed page={page} chosen={chosen} choose={choose} /> : <Tabbed page={page} chosen={chosen} choose={choose} />}
    </Dialog>
  )
}

function Tabbed({ page, chosen, choose }: Chosen & { page: PageProps }) {
  const t = useT()
  return (
    <Tabs orientation="vertical" className="settings" selectedKey={(chosen ?? subjects[0]).id} onSelectionChange={(key) => choose(subjects.find(({ id }) => id === key) ?? null)}>
      <TabList className="subjects" aria-label={t('settings.title')}>
        {subjects.map(({ id, icon }) => <Tab key={id} id={id} className="subject">{icon}<span>{t(`settings.${id}`)}</span></Tab>)}
      </TabList>
      {subjects.map(({ id, Page }) => <TabPanel key={id} id={id} className="subject-page stack"><Page {...page} /></TabPanel>)}
    </Tabs>
  )
}

/** On a phone: the list, then a page with its way back. */
function Listed({ page, chosen, choose }: Chosen & { page: PageProps }) {
  const t = useT()
  const [left, setLeft] = useState<Subject | null>(null)
  const back = useRef<HTMLButtonElement>(null)
  // Before anything is painted: with the way back gone, a key pressed right after it would go to nobody, Escape too.
  useLayoutEffect(() => { if (!chosen) back.current?.focus() }, [chosen])
  if (chosen) return <Opened subject={chosen} onBack={() => { setLeft(chosen); choose(null) }}><chosen.Page {...page} /></Opened>
  return (
    <nav className="subjects" aria-label={t('settings.title')}>
      {subjects.map((subject) => (
        <button key={subject.id} ref={subject === left ? back : null} type="button" className="subject" onClick={() => choose(subject)}>
          {subject.icon}<span>{t(`settings.${subject.id}`)}</span><ChevronRight className="flip" aria-hidden="true" />
        </button>
      ))}
    </nav>
  )
}

function Opened({ subject, onBack, children }: { subject: Subject; onBack: () => void; children: ReactNode }) {
  const t = useT()
  const heading = useRef<HTMLHeadingElement>(null)
  useLayoutEffect(() => heading.current?.focus(), [])
  return (
    <section className="stack">
      <div className="row">
        <Button kind="quiet" icon={<ArrowLeft className="flip" aria-hidden="true" />} aria-label={t('settings.back')} onClick={onBack} />
        <h3 ref={heading} tabIndex={-1}>{t(`settings.${subject.id}`)}</h3>
      </div>
      {children}
    </section>
  )
}

const narrowScreens = '(max-width: 40rem)'

function useNarrow(): boolean {
  return useSyncExternalStore((changed) => {
    const query = matchMedia(narrowScreens)
    query.addEventListener('change', changed)
    return () => query.removeEventListener('change', changed)
  }, () => matchMedia(narrowScreens).matches)
}
