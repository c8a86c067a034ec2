import { useEffect } from 'react'
import type { Call, CallEvent } from '@/call/live'
import { preferences, type News } from '@/call/preferences'
import { useT } from '@/i18n'
import { announce } from '@/ui'

const mergeFor = 3_000

/** What is said of others at each level. That one is back, or one's picture is, that the connection stays weak, or that one talks with the microphone off, is always said. */
const some: readonly CallEvent['is'][] = ['message', 'shares']
const toldAt: Record<News, readonly CallEvent['is'][]> = { all: [...some, 'joined', 'left', 'hand', 'reaction'], some, few: [] }

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
      if (event.is === 'weak') return announce(t('stage.weak'))
      if (event.is === 'picture-back') return announce(t('stage.own.back'))
      if (event.is === 'talks-muted') return announce(t('stage.muted.talking'))
      if (!toldAt[preferences.get().news].includes(event.is)) return
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
