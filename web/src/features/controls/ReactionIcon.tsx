import { Heart, PartyPopper, Smile, ThumbsDown, ThumbsUp } from 'lucide-react'
import type { Reaction } from '@/api'

const icons = { agree: ThumbsUp, disagree: ThumbsDown, applause: PartyPopper, thanks: Heart, smile: Smile } satisfies Record<Reaction, unknown>

/** A picture beside the word, which says the same. */
export function ReactionIcon({ reaction }: { reaction: Reaction }) {
  const Icon = icons[reaction]
  return <Icon aria-hidden="true" />
}
