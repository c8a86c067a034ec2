// Hear yourself, as others will: recorded here, played here, forgotten.
import { AudioLines, Square } from 'lucide-react'
import { useEffect, useState } from 'react'
import { intents } from '@/call'
import { Echo, echoMeans } from '@/call/echo'
import { useT } from '@/i18n'
import { Button, useStore } from '@/ui'

/** stream: of the microphone being tried. */
export function EchoTest({ stream }: { stream: MediaStream }) {
  const t = useT()
  const [echo] = useState(() => new Echo(echoMeans))
  const state = useStore(echo.state)
  const running = state.is === 'recording' || state.is === 'playing'
  // Another microphone, or none: what was said into this one is forgotten.
  useEffect(() => () => echo.stop(), [echo, stream])
  return (
    <div className="stack-s" data-testid="echo" data-state={state.is}>
      <div className="row">
        {running
          ? <Button icon={<Square aria-hidden="true" />} onClick={() => echo.stop()}>{t('devices.echo.stop')}</Button>
          : <Button icon={<AudioLines aria-hidden="true" />} onClick={() => void echo.start(stream, intents.get().speakerID)}>{t('devices.echo')}</Button>}
      </div>
      <p className="sm muted" role="status">{t(`devices.echo.${state.is}`)}</p>
    </div>
  )
}
