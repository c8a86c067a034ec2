import { useEffect, useRef, useState } from 'react'

const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false

/**
 * Files that are dropped on the call. Where none may be sent they are caught all the same: the browser would leave the
 * meeting to show them. Tells whether some are being dragged over the page.
 */
export function useDrop(take: ((files: FileList) => void) | null): boolean {
  const [over, setOver] = useState(false)
  const taken = useRef(take)
  useEffect(() => {
    taken.current = take
  })
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const drag = (event: DragEvent) => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      if (event.dataTransfer) event.dataTransfer.dropEffect = taken.current ? 'copy' : 'none'
      setOver(taken.current !== null)
      // Leaving is told of every element that is crossed; not being dragged any more, of none.
      clearTimeout(timer)
      timer = setTimeout(() => setOver(false), 300)
    }
    const drop = (event: DragEvent) => {
      if (!carriesFiles(event)) return
      event.preventDefault()
      setOver(false)
      if (event.dataTransfer?.files.length) taken.current?.(event.dataTransfer.files)
    }
    addEventListener('dragover', drag)
    addEventListener('drop', drop)
    return () => {
      clearTimeout(timer)
      removeEventListener('dragover', drag)
      removeEventListener('drop', drop)
    }
  }, [])
  return over
}
