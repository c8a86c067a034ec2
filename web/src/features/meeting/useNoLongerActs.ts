import { useQuery } from '@tanstack/react-query'
import { agent } from '@/api'

/**
 * Whether one acts for a post no more, for when a meeting of it that was open here is refused: the reason that an id alone does not get,
 * so that nobody learns of a meeting who was not in it. Looks at one's own posts, as they are now.
 */
export function useNoLongerActs(post: string | undefined, refused: boolean): boolean {
  const { data } = useQuery({
    queryKey: ['acts-at', post],
    queryFn: async () => (await agent.posts()).some(({ id, role }) => id === post && role !== 'auditor'),
    enabled: refused && post !== undefined,
    staleTime: 0,
  })
  return refused && data === false
}
