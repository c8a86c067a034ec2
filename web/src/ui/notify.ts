// The system's own notices, for a page that nobody looks at. They are asked for by a press and never otherwise.

/** Whether a press may still ask for the system's notices. */
export function mayAskToNotify(): boolean {
  return typeof Notification !== 'undefined' && Notification.permission === 'default'
}

/** From a press. */
export async function askToNotify(): Promise<void> {
  if (mayAskToNotify()) await Notification.requestPermission().catch(() => undefined)
}

/** Shows a notice if the page is out of sight and the person has allowed it. One with the same tag takes the place of the last. */
export function notify(title: string, body: string, tag: string, onPress: () => void = () => undefined): void {
  if (document.visibilityState === 'visible' || typeof Notification === 'undefined' || Notification.permission !== 'granted') return
  try {
    const shown = new Notification(title, { body, tag, lang: document.documentElement.lang })
    shown.onclick = () => {
      focus()
      shown.close()
      onPress()
    }
  } catch {
    // Phones' browsers have them only for service workers: the sound and the title have to do.
  }
}
