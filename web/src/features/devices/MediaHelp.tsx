import { SlidersHorizontal, TriangleAlert, VideoOff } from 'lucide-react'
import type { EffectProblem, MediaProblem } from '@/call'
import { useT } from '@/i18n'

interface Props {
  kind: 'mic' | 'cam' | 'share'
  why: MediaProblem | EffectProblem
  /** In a call a camera without its blur was switched off. */
  inCall?: boolean
}

/** Why a device did not open, and what to do about it in this browser; or which effect on it fails. */
export function MediaHelp({ kind, why, inCall = false }: Props) {
  const t = useT()
  return (
    <div className="note warn" role="alert" data-testid="media-problem" data-why={why}>
      <TriangleAlert aria-hidden="true" />
      <div className="stack-s">
        <p>{t(textFor(kind, why))}</p>
        {inCall && (why === 'slow' || why === 'noblur') ? <p>{t('blur.camoff')}</p> : null}
        {why === 'refused' && kind !== 'share' ? <p className="allow"><Sign />{t(`devices.allow.${browser()}`)}</p> : null}
      </div>
    </div>
  )
}

/** The browser's own button, drawn, where it has one to look for. */
function Sign() {
  const own = browser()
  if (own === 'safari') return null
  return <i aria-hidden="true">{own === 'firefox' ? <VideoOff /> : <SlidersHorizontal />}</i>
}

function textFor(kind: Props['kind'], why: Props['why']): string {
  if (kind === 'share') return 'share.failed'
  if (why === 'slow') return 'devices.slow'
  if (why === 'noblur') return 'devices.noblur'
  if (why === 'nostrong') return 'devices.nostrong'
  if (why === 'refused') return 'devices.refused'
  if (why === 'unknown') return 'devices.unknown'
  if (kind === 'mic') return why === 'busy' ? 'devices.micbusy' : 'devices.nomic'
  return why === 'busy' ? 'devices.busy' : 'devices.none'
}

function browser(): 'firefox' | 'safari' | 'chromium' {
  const agent = navigator.userAgent
  if (agent.includes('Firefox/')) return 'firefox'
  return agent.includes('Safari/') && !/Chrom(e|ium)\//.test(agent) ? 'safari' : 'chromium'
}
