import { useMutation, useQueryClient } from '@tanstack/react-query'
import { agent, type CreatedPost } from '@/api'
import { useT } from '@/i18n'
import { announce, Heading, useTitle } from '@/ui'
import { PostForm } from './PostForm'

/** Whoever makes a post names its first administrator, who goes on from there: oneself, or somebody else. */
export function NewPost({ self, onMade }: { self: string; onMade: (post: CreatedPost) => void }) {
  const t = useT()
  useTitle(t('posts.new'))
  const queries = useQueryClient()
  const make = useMutation({
    mutationFn: agent.createPost,
    onSuccess: async (post) => {
      // The account has one role more: the menu and the choices of posts follow it.
      await Promise.all([queries.invalidateQueries({ queryKey: ['posts'] }), queries.invalidateQueries({ queryKey: ['session'] })])
      if (!post.own) announce(t('posts.made', { post: post.name }))
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
      <div className="card post-card"><PostForm error={make.error} busy={make.isPending} act={t('posts.new.do')} administrator={self} onSubmit={(draft) => make.mutate(draft)} /></div>
    </>
  )
}
