import { useEffect, useState, type RefObject } from 'react'

export interface FullScreen {
  /** The browser can; a phone's may not. */
  offered: boolean
  on: boolean
  toggle: () => void
}

/** The whole page on the whole screen, or one element of it. */
export function useFullScreen(of?: RefObject<HTMLElement | null>): FullScreen {
  const [on, setOn] = useState(false)
  useEffect(() => {
    const look = () => setOn(isFull(of))
    document.addEventListener('fullscreenchange', look)
    return () => document.removeEventListener('fullscreenchange', look)
  }, [of])
  const toggle = () => {
    // By what is, not by what was drawn last: two presses may come before the page hears of the first.
    // A browser that refuses, in a frame for instance, has nothing to be told of.
    const done = isFull(of) ? document.exitFullscreen() : (of ? of.current : document.documentElement)?.requestFullscreen()
    done?.catch(() => undefined)
  }
  return { offered: 'fullscreenEnabled' in document && document.fullscreenEnabled, on, toggle }
}

const isFull = (of?: RefObject<HTMLElement | null>): boolean => document.fullscreenElement !== null && document.fullscreenElement === (of ? of.current : document.documentElement)
