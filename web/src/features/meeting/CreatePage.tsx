import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type SubmitEvent } from 'react'
import { agent, type Meeting } from '@/api'
import { ErrorNote, useFaults } from '@/features/frame'
import { useLang, useT } from '@/i18n'
import { dayMonth } from '@/i18n/stamps'
import { Button, Field, Heading, SelectField, textOf, useTitle } from '@/ui'
import { AgentFrame, type AgentProps } from './AgentFrame'
import { actsAt } from './posts'
import { ProfileCards } from './ProfileCards'
import { useProfiles } from './useProfiles'
import { nextHour, schedule, When, type Kind } from './When'
import './meeting.css'

interface Props extends AgentProps {
  onCreated: (meeting: Meeting) => void
}

/** Two clicks suffice: the title is filled in, and the meeting is for now. */
export function CreatePage({ onCreated, ...frame }: Props) {
  const t = useT()
  useTitle(t('create.title'))
  const queries = useQueryClient()
  const lang = useLang()
  const [now] = useState(() => Date.now())
  const [kind, setKind] = useState<Kind>('undated')
  const posts = actsAt(frame.account)
  const [chosen, setChosen] = useState('standard')
  const [post, setPost] = useState(posts[0]?.id ?? '')
  const profiles = useProfiles(post)
  const create = useMutation({
    mutationFn: agent.createMeeting,
    onSuccess: (meeting) => {
      queries.setQueryData(['meeting', meeting.id], meeting)
      void queries.invalidateQueries({ queryKey: ['meetings'] })
      onCreated(meeting)
    },
  })
  const fields = useFaults(create.error)
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (create.isPending) return
    const form = new FormData(event.currentTarget)
    const title = textOf(form, 'title').trim() || t('create.untitled', { date: dayMonth(new Date(now), lang) })
    create.mutate({ title, profile: chosen, ...(posts.length > 1 ? { post } : {}), ...schedule(kind, form) })
  }
  return (
    <AgentFrame {...frame}>
      <main id="main" className="narrow">
        <form className="card" onSubmit={submit}>
          <Heading>{t('create.title')}</Heading>
          <Field label={t('create.name')} name="title" maxLength={200} defaultValue={t('create.untitled', { date: dayMonth(new Date(now), lang) })} error={fields['title']} />
          {posts.length > 1 ? (
            <SelectField label={t('posts.post')} name="post" value={post} onChange={(event) => setPost(event.target.value)} hint={t('create.post.hint')} error={fields['post'] ? t('create.post.invalid') : undefined}>
              {posts.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
            </SelectField>
          ) : null}
          <When kind={kind} onKind={setKind} undated={t('create.when.now')} start={nextHour(now)} minutes={60} errors={fields} />
          <ProfileCards profiles={profiles.data ?? []} chosen={chosen} onChoose={setChosen} error={fields['profile'] ?? fields['ends_at']} />
          {create.error && Object.keys(fields).length === 0 ? <ErrorNote error={create.error} /> : null}
          <Button kind="primary" big type="submit" busy={create.isPending}>{t('create.do')}</Button>
        </form>
      </main>
    </AgentFrame>
  )
}
