// How one looks on: the layout, one's own picture, full screen, the small window. It concerns nobody else.
import { Eye, EyeOff, FlipHorizontal2, LayoutDashboard, LayoutGrid, Maximize, Minimize, PictureInPicture2, UserRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { layouts, selfViews, type Layout, type View } from '@/call/live'
import { useT } from '@/i18n'
import { announce, useStore } from '@/ui'
import { MenuButton } from '@/ui/overlays'
import type { FullScreen } from './useFullScreen'

const icons: Record<Layout, ReactNode> = { auto: <LayoutDashboard aria-hidden="true" />, grid: <LayoutGrid aria-hidden="true" />, speaker: <UserRound aria-hidden="true" /> }

interface Props {
  view: View
  full: FullScreen
  mini: { offered: boolean; open: boolean; toggle: () => void }
}

export function ViewMenu({ view, full, mini }: Props) {
  const t = useT()
  const { layout, selfView, mirror } = useStore(view.state)
  return (
    <MenuButton
      label={t('stage.view.now', { layout: t(`stage.layout.${layout}`) })} className="sc view" button={<>{icons[layout]}<span className="hide-s">{t(`stage.layout.${layout}`)}</span></>}
      groups={[
        { title: t('stage.layout'), entries: layouts.map((one) => ({ id: `layout/${one}`, label: t(`stage.layout.${one}`), chosen: one === layout, onAct: () => view.setLayout(one) })) },
        {
          title: t('stage.self'),
          entries: selfViews.map((one) => ({ id: `self/${one}`, label: t(`stage.self.${one}`), chosen: one === selfView, onAct: () => {
            view.setSelfView(one)
            if (one === 'hidden') announce(t('stage.self.hidden.note'))
          } })),
        },
        {
          entries: [
            { id: 'mirror', label: t(mirror ? 'stage.mirror.off' : 'stage.mirror.on'), icon: <FlipHorizontal2 aria-hidden="true" />, onAct: () => view.setMirror(!mirror) },
            ...(full.offered ? [{ id: 'full', label: t(full.on ? 'stage.full.leave' : 'stage.full'), icon: full.on ? <Minimize aria-hidden="true" /> : <Maximize aria-hidden="true" />, onAct: full.toggle }] : []),
            ...(mini.offered ? [{ id: 'mini', label: t(mini.open ? 'stage.mini.close' : 'stage.mini'), icon: <PictureInPicture2 aria-hidden="true" />, onAct: mini.toggle }] : []),
          ],
        },
      ]}
    />
  )
}

/** Says that one does not see oneself, and that others do; a press ends it. */
export function SelfHidden({ view }: { view: View }) {
  const t = useT()
  const { selfView } = useStore(view.state)
  if (selfView !== 'hidden') return null
  return (
    <button type="button" className="sc" title={t('stage.self.hidden.note')} aria-label={`${t('stage.self.hidden.note')} ${t('stage.self.show')}`} onClick={() => view.setSelfView('tile')}>
      <EyeOff aria-hidden="true" /><span className="hide-s">{t('stage.self.hidden.short')}</span><Eye aria-hidden="true" className="hide-s" />
    </button>
  )
}
