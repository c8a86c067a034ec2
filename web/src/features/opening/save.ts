// Taking what was opened out of the browser: it is not encrypted, and the page says so before.

interface Picks { showDirectoryPicker?: (options: { id: string; mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle> }
const picks = globalThis as Picks

/** Whether files can be written into a folder of the reader's choice, piece by piece. */
export const writesFolders = (): boolean => picks.showDirectoryPicker !== undefined

/** A new folder in one that the reader chooses, or null: they chose none. */
export async function chooseFolder(name: string): Promise<FileSystemDirectoryHandle | null> {
  try {
    const folder = await picks.showDirectoryPicker?.({ id: 'aparte-recording', mode: 'readwrite' })
    return folder ? await folder.getDirectoryHandle(name, { create: true }) : null
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null
    throw error
  }
}

export function saveFile(name: string, media: Blob): void {
  const address = URL.createObjectURL(media)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
