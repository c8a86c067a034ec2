import { useMutation, useQueryClient } from '@tanstack/react-query'
import { agent, type Post } from '@/api'
import { useT } from '@/i18n'
import { Heading, useTitle } from '@/ui'
import { PostForm } from './PostForm'

/** Whoever makes a post administers it until somebody else does. */
export function NewPost({ onMade }: { onMade: (post: Post) => void }) {
  const t = useT()
  useTitle(t('posts.new'))
  const queries = useQueryClient()
  const make = useMutation({
    mutationFn: agent.createPost,
    onSuccess: async (post) => {
      // The account has one role more: the menu and the choices of posts follow it.
      await Promise.all([queries.invalidateQueries({ queryKey: ['posts'] }), queries.invalidateQueries({ queryKey: ['session'] })])
      onMade(post)
    },
  })
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/posts">{t('posts.title')}</a></p>
        <Heading>{t('posts.new')}</Heading>
        <p className="muted">{t('posts.new.body')}</p>
      </div>
      <div className="card post-card"><PostForm error={make.error} busy={make.isPending} act={t('posts.new.do')} onSubmit={(draft) => make.mutate(draft)} /></div>
    </>
  )
}
