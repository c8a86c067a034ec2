import { useEffect } from 'react'
import type { Call } from '@/call/live'
import { useT } from '@/i18n'
import { announce } from '@/ui'

const mergeFor = 3_000
const words = { joined: 'sr.joined', left: 'sr.left', shares: 'sr.shares', message: 'sr.message' } as const

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
      const word = words[event.is as keyof typeof words]
      if (!word || !('name' in event)) return // said where it is shown
      said.push(t(word, { name: event.name }))
      timer ??= setTimeout(flush, mergeFor)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [call, t])
}
