// The entry form is readable and can be filled before any script has run (it is in guest.html). What was typed
// by then, and where the cursor stood, is taken over.

export interface Typed {
  name: string
  organisation: string
  focus: string
}

export const fieldIDs = { name: 'guest-name', organisation: 'guest-organisation' } as const

/** Reads the static form; call it before React takes the page over. */
export function typedBefore(): Typed {
  const value = (id: string) => {
    const input = document.getElementById(id)
    return input instanceof HTMLInputElement ? input.value : ''
  }
  return { name: value(fieldIDs.name), organisation: value(fieldIDs.organisation), focus: document.activeElement?.id ?? '' }
}
