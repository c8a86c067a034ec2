import { useQuery } from '@tanstack/react-query'
import { agent } from '@/api'
import type { Place } from './keptFile'

/** The post's name and zone, once they are known. */
export function usePlace(post: string): Place | undefined {
  const found = useQuery({ queryKey: ['posts'], queryFn: agent.posts }).data?.find(({ id }) => id === post)
  return found ? { name: found.name, zone: found.time_zone } : undefined
}
