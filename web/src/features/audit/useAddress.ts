// The post and the filters in the page's address.
import { useEffect, useState } from 'react'
import type { PostRole } from '@/api'
import { readFilters, writeFilters, type Filters } from './filters'

export interface Place {
  post: string
  filters: Filters
}

/** As they stand in the address they can be sent to somebody, and "back" undoes. */
export function useAddress(posts: readonly PostRole[]): [Place, (place: Place) => void] {
  const read = (): Place => {
    const wanted = new URLSearchParams(location.search).get('post')
    return { post: (posts.find(({ id }) => id === wanted) ?? posts[0])?.id ?? '', filters: readFilters(location.search) }
  }
  const [place, setPlace] = useState(read)
  useEffect(() => {
    const back = () => setPlace(read())
    addEventListener('popstate', back)
    return () => removeEventListener('popstate', back)
  })
  return [place, (next) => {
    // A date comes digit by digit: "back" does not undo each of them.
    const typed = next.filters.from !== place.filters.from || next.filters.to !== place.filters.to
    history[typed ? 'replaceState' : 'pushState'](null, '', `${location.pathname}${writeFilters(next.filters, posts.length > 1 ? next.post : '')}`)
    setPlace(next)
  }]
}
