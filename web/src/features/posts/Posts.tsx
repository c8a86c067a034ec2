// The posts of whoever is signed in: what is said about each, who acts for it, what it did.
import { useQuery } from '@tanstack/react-query'
import { agent, type Account, type Post } from '@/api'
import { Pending } from '@/features/frame'
import { AgentFrame, type AgentProps } from '@/features/meeting'
import { useT } from '@/i18n'
import { NewPost } from './NewPost'
import { PostPage } from './PostPage'
import { PostsPage } from './PostsPage'
import './posts.css'

export function Posts({ at, ...frame }: AgentProps & { at: string }) {
  const t = useT()
  const { data, error, refetch } = useQuery({ queryKey: ['posts'], queryFn: agent.posts })
  return (
    <AgentFrame {...frame}>
      <main id="main" className="meetings">
        {data ? <Page at={at} posts={data} account={frame.account} go={frame.go} /> : <Pending title={t('posts.title')} error={error} retry={() => void refetch()} />}
      </main>
    </AgentFrame>
  )
}

interface Props {
  at: string
  posts: readonly Post[]
  account: Account
  go: (path: string) => void
}

function Page({ at, posts, account, go }: Props) {
  const t = useT()
  if (at === '/posts') return <PostsPage posts={posts} mayCreate={account.admin} />
  if (at === '/posts/new' && account.admin) return <NewPost self={account.email} onMade={(post) => go(post.own ? `/posts/${post.id}` : '/posts')} />
  const post = posts.find(({ id }) => at === `/posts/${id}`)
  if (post) return <PostPage key={post.id} post={post} self={account.id} />
  return <p className="card empty">{t('posts.unknown')} <a href="/posts">{t('posts.title')}</a></p>
}
