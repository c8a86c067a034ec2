import { useQueryClient } from '@tanstack/react-query'

/** Where a recording belongs, by ids. */
export interface Place { meeting: string; post: string }

/** Reads anew what is shown of recordings, on whatever page. */
export function useReadAnew(): () => Promise<void> {
  const queries = useQueryClient()
  return () => queries.invalidateQueries({ queryKey: ['recordings'] })
}
