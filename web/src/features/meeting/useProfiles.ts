import { useQuery } from '@tanstack/react-query'
import { agent } from '@/api'

/** The post's security profiles. */
export const useProfiles = () => useQuery({ queryKey: ['profiles'], queryFn: agent.profiles })
