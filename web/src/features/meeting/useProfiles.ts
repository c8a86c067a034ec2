import { useQuery } from '@tanstack/react-query'
import { agent } from '@/api'

/** A post's security profiles. */
export const useProfiles = (post: string) => useQuery({ queryKey: ['profiles', post], queryFn: () => agent.profiles(post), enabled: post !== '' })
