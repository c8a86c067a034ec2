import { useLayoutEffect, useRef, useState, type RefObject } from 'react'
import type { Size } from '@/call/live'

/** The inner size of an element in CSS pixels, kept current. */
export function useSize<E extends HTMLElement>(): [RefObject<E | null>, Size] {
  const element = useRef<E>(null)
  const [size, setSize] = useState<Size>({ width: 0, height: 0 })
  // Before anything is drawn: a layout that waited for the observer would be empty for a frame.
  useLayoutEffect(() => {
    if (!element.current) return
    setSize(inner(element.current))
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return
      const { width, height } = entry.contentRect
      setSize((before) => (before.width === width && before.height === height ? before : { width, height }))
    })
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return [element, size]
}

function inner(element: HTMLElement): Size {
  const { width, height } = element.getBoundingClientRect()
  const style = getComputedStyle(element)
  const sum = (...lengths: string[]) => lengths.reduce((total, length) => total + (parseFloat(length) || 0), 0)
  return {
    width: Math.max(0, width - sum(style.paddingLeft, style.paddingRight, style.borderLeftWidth, style.borderRightWidth)),
    height: Math.max(0, height - sum(style.paddingTop, style.paddingBottom, style.borderTopWidth, style.borderBottomWidth)),
  }
}
