import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Pencil } from 'lucide-react'
import { lazy, Suspense, useState } from 'react'
import { agent, type Post, type PostDraft } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { loadAdminWords } from '@/i18n/admin'
import { dayMonth } from '@/i18n/stamps'
import { localeOf } from '@/i18n/languages'
import { announce, Button, Heading, patiently, useTitle } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { Orphans } from './Orphans'
import { People } from './People'
import { PostForm } from './PostForm'
import { RoleChip } from './RoleChip'
import { languageNames, timeThere } from './words'

const Archives = lazy(() => patiently(() => Promise.all([import('./Archives'), loadAdminWords()])).then(([module]) => ({ default: module.Archives })))

export function PostPage({ post, self }: { post: Post; self: string }) {
  const t = useT()
  useTitle(post.name)
  const [editing, setEditing] = useState(false)
  const administers = post.role === 'administrator'
  return (
    <>
      <div className="stack-s">
        <p className="sm"><a href="/posts">{t('posts.title')}</a></p>
        <div className="head">
          <Heading><bdi>{post.name}</bdi></Heading>
          {administers ? <Button icon={<Pencil aria-hidden="true" />} onClick={() => setEditing(true)}>{t('posts.edit')}</Button> : <RoleChip role={post.role} />}
        </div>
      </div>
      <About post={post} />
      {post.role === 'agent' ? null : <Figures post={post} />}
      {administers ? <Orphans post={post} /> : null}
      {administers ? <People post={post} self={self} /> : null}
      {administers ? <Suspense fallback={<Loading />}><Archives post={post} /></Suspense> : null}
      <Dialog title={t('posts.edit')} open={editing} onClose={() => setEditing(false)} closeLabel={t('common.close')}>
        <Edit post={post} onDone={() => setEditing(false)} />
      </Dialog>
    </>
  )
}

function About({ post }: { post: Post }) {
  const t = useT()
  const lang = useLang()
  const { address, phone, email, web } = post.contact
  return (
    <dl className="card post-card about-post">
      <div><dt>{t('posts.zone')}</dt><dd>{timeThere(post.time_zone, lang)}</dd></div>
      <div><dt>{t('posts.languages')}</dt><dd>{languageNames(post.languages, lang)}</dd></div>
      {address ? <div><dt>{t('posts.address')}</dt><dd className="lines"><bdi>{address}</bdi></dd></div> : null}
      {phone ? <div><dt>{t('posts.phone')}</dt><dd><bdi>{phone}</bdi></dd></div> : null}
      {email ? <div><dt>{t('signin.email')}</dt><dd><bdi>{email}</bdi></dd></div> : null}
      {web ? <div><dt>{t('posts.web')}</dt><dd><a href={web} rel="noreferrer" target="_blank"><bdi>{web.replace(/^https?:\/\//, '').replace(/\/$/, '')}</bdi></a></dd></div> : null}
    </dl>
  )
}

function Figures({ post }: { post: Post }) {
  const t = useT()
  const lang = useLang()
  const { data, error, refetch } = useQuery({ queryKey: ['figures', post.id], queryFn: () => agent.figures(post.id) })
  const shown = ['held', 'minutes', 'admitted', 'refused', 'removed'] as const
  return (
    <section aria-labelledby="figures">
      <h2 id="figures">{t('posts.figures')}</h2>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {data ? (
        <div className="card post-card stack-s">
          <dl className="figures">
            {shown.map((name) => <div key={name}><dt>{t(`posts.figures.${name}`)}</dt><dd>{data[name].toLocaleString(localeOf(lang))}</dd></div>)}
          </dl>
          <p className="sm muted">{t('posts.figures.since', { date: dayMonth(new Date(data.since), lang) })}</p>
        </div>
      ) : null}
    </section>
  )
}

function Edit({ post, onDone }: { post: Post; onDone: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const edit = useMutation({
    mutationFn: (draft: PostDraft) => agent.editPost(post.id, draft),
    onSuccess: async () => {
      await Promise.all([queries.invalidateQueries({ queryKey: ['posts'] }), queries.invalidateQueries({ queryKey: ['session'] }), queries.invalidateQueries({ queryKey: ['figures', post.id] })])
      announce(t('posts.edited'))
      onDone()
    },
  })
  return <PostForm post={post} error={edit.error} busy={edit.isPending} act={t('posts.edit.do')} onSubmit={(draft) => edit.mutate(draft)} />
}
