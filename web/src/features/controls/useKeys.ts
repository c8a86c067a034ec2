import { useEffect, useEffectEvent } from 'react'

export interface Commands {
  /** By key, lower case. */
  keys: Record<string, () => void>
  /** Held Space: true on press, false on release; null: it does nothing. */
  talk: ((on: boolean) => void) | null
  /** F6, and Shift+F6. */
  region: (step: 1 | -1) => void
  /** Escape, outside menus and dialogs. */
  escape: () => void
}

/** Single-key commands. None fires in a field or with a modifier; all but F6 and Escape can be switched off. */
export function useKeys(enabled: boolean, commands: Commands): void {
  const talk = useEffectEvent((on: boolean) => commands.talk?.(on))
  const talks = useEffectEvent(() => commands.talk !== null)
  const region = useEffectEvent((step: 1 | -1) => commands.region(step))
  const escape = useEffectEvent(() => commands.escape())
  const command = useEffectEvent((key: string): (() => void) | undefined => (Object.hasOwn(commands.keys, key) ? commands.keys[key] : undefined))
  useEffect(() => {
    let talking = false
    const release = () => {
      if (talking) talk(false)
      talking = false
    }
    const down = (event: KeyboardEvent) => {
      if (event.key === 'F6') {
        event.preventDefault()
        return region(event.shiftKey ? -1 : 1)
      }
      if (event.key === 'Escape' && !event.defaultPrevented && !event.isComposing && !inDialog(event.target)) return escape()
      if (!enabled || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || inDialog(event.target)) return
      if (event.key === ' ' && talks() && !controls(event.target)) {
        event.preventDefault()
        if (!event.repeat && !talking) {
          talking = true
          talk(true)
        }
        return
      }
      const act = command(event.key.toLowerCase())
      if (!act || event.repeat) return
      event.preventDefault()
      act()
    }
    const up = (event: KeyboardEvent) => {
      if (event.key === ' ') release()
    }
    document.addEventListener('keydown', down)
    document.addEventListener('keyup', up)
    window.addEventListener('blur', release)
    return () => {
      release()
      document.removeEventListener('keydown', down)
      document.removeEventListener('keyup', up)
      window.removeEventListener('blur', release)
    }
  }, [enabled])
}

function writes(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function controls(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a, summary, [role="button"], [role="menuitem"], [role="switch"]') !== null
}

function inDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="dialog"], [role="alertdialog"], [role="menu"]') !== null
}
