import { Building2, Plus } from 'lucide-react'
import type { Post } from '@/api'
import { useLang, useT } from '@/i18n'
import { Heading, useTitle } from '@/ui'
import { RoleChip } from './RoleChip'
import { languageNames, timeThere } from './words'

export function PostsPage({ posts, mayCreate }: { posts: readonly Post[]; mayCreate: boolean }) {
  const t = useT()
  useTitle(t('posts.title'))
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/">{t('meetings.title')}</a></p>
        <div className="head">
          <Heading>{t('posts.title')}</Heading>
          {mayCreate ? <a className="btn primary" href="/posts/new"><Plus aria-hidden="true" />{t('posts.new')}</a> : null}
        </div>
        <p className="muted">{t('posts.body')}</p>
      </div>
      {posts.length === 0 ? <p className="card empty">{t('posts.empty')}</p> : (
        <ul className="card posts" aria-label={t('posts.title')}>
          {posts.map((post) => <Row key={post.id} post={post} />)}
        </ul>
      )}
    </>
  )
}

function Row({ post }: { post: Post }) {
  const lang = useLang()
  return (
    <li>
      <Building2 aria-hidden="true" />
      <div>
        <h2><a href={`/posts/${post.id}`}><bdi>{post.name}</bdi></a></h2>
        <small>{timeThere(post.time_zone, lang)} · {languageNames(post.languages, lang)}</small>
      </div>
      <RoleChip role={post.role} />
    </li>
  )
}
