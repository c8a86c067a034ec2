import { useEffect } from 'react'
import type { Call } from '@/call/live'
import { useT } from '@/i18n'
import { announce } from '@/ui'

const mergeFor = 3_000

/** Says arrivals, departures and returns; those within three seconds in one go. */
export function useCallNews(call: Call): void {
  const t = useT()
  useEffect(() => {
    let said: string[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const flush = () => {
      timer = undefined
      announce(said.join(' '))
      said = []
    }
    const stop = call.onEvent((event) => {
      if (event.is === 'back') return announce(t('recon.back'))
      if (event.is === 'talks-muted') return announce(t('stage.muted.talking'))
      if (event.is !== 'message' && event.is !== 'joined' && event.is !== 'left') return // said where it is shown
      said.push(event.is === 'message' ? t('sr.message', { name: event.name }) : t(event.is === 'joined' ? 'sr.joined' : 'sr.left', { name: event.name }))
      timer ??= setTimeout(flush, mergeFor)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [call, t])
}
