import { useEffect } from 'react'

/** Keeps the screen awake while the call is on it, where the browser can. Browsers let go of the lock when the page is hidden. */
export function useAwake(): void {
  useEffect(() => {
    let lock: WakeLockSentinel | null = null
    let over = false
    const release = () => {
      void lock?.release().catch(() => undefined)
      lock = null
    }
    const take = () => {
      if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
      navigator.wakeLock.request('screen').then(
        (taken) => {
          release()
          lock = taken
          if (over) release()
        },
        () => undefined,
      )
    }
    take()
    document.addEventListener('visibilitychange', take)
    return () => {
      over = true
      document.removeEventListener('visibilitychange', take)
      release()
    }
  }, [])
}
