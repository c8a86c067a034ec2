import { useEffect } from 'react'
import type { Call, CallEvent } from '@/call/live'
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
    const wordOf = (event: CallEvent): string | null => {
      switch (event.is) {
        case 'message':
          if (event.file) return t('sr.file', { name: event.name })
          return t(event.alone ? 'sr.message.private' : 'sr.message', { name: event.name })
        case 'reaction':
          return t('sr.reaction', { name: event.name, reaction: t(`react.${event.reaction}`) })
        case 'hand':
        case 'joined':
        case 'left':
        case 'shares':
          return t(`sr.${event.is}`, { name: event.name })
        default:
          return null
      }
    }
    const stop = call.onEvent((event) => {
      if (event.is === 'back') return announce(t('recon.back'))
      if (event.is === 'talks-muted') return announce(t('stage.muted.talking'))
      const word = wordOf(event)
      if (word === null) return // said where it is shown
      said.push(word)
      timer ??= setTimeout(flush, mergeFor)
    })
    return () => {
      stop()
      clearTimeout(timer)
    }
  }, [call, t])
}
