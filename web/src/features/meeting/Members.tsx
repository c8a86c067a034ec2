// Who is named in the meeting: the host alone changes it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Crown, Ellipsis, UserMinus, UserRoundCheck } from 'lucide-react'
import { useState, type SubmitEvent } from 'react'
import { agent, isProblem, type Meeting, type MeetingMember } from '@/api'
import { ErrorNote, Loading } from '@/features/frame'
import { useT, Words } from '@/i18n'
import { announce, Button, Field, recoverFocus, SelectField, textOf } from '@/ui'
import { Confirm, MenuButton } from '@/ui/overlays'

const named = ['cohost', 'participant', 'observer'] as const
type Named = (typeof named)[number]
const asNamed = (text: string): Named => named.find((one) => one === text) ?? 'participant'

export function Members({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery({ queryKey: ['members', meeting.id], queryFn: () => agent.meetingMembers(meeting.id) })
  const [asked, setAsked] = useState<{ what: 'remove' | 'hand-over'; member: MeetingMember } | null>(null)
  const change = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    // Handing over changes one's own role, too.
    onSettled: () => Promise.all([queries.invalidateQueries({ queryKey: ['members', meeting.id] }), queries.invalidateQueries({ queryKey: ['meeting', meeting.id] })]),
  })
  const mine = meeting.role === 'host' && meeting.state !== 'ended'
  const close = () => {
    setAsked(null)
    recoverFocus()
  }
  const confirmed = async () => {
    if (!asked) return
    const { what, member } = asked
    await change.mutateAsync(() => (what === 'remove' ? agent.removeMeetingMember(meeting.id, member.id) : agent.handOver(meeting.id, member.id))).catch(() => undefined)
  }
  const words = asked?.what === 'hand-over'
    ? { act: 'role.handover.act', ask: 'role.handover.ask', effect: 'role.handover.effect' } as const
    : { act: 'members.remove.act', ask: 'members.remove.ask', effect: 'members.remove.effect' } as const
  return (
    <section className="card members" aria-labelledby="members-title">
      <h2 id="members-title">{t('members.title')}</h2>
      {error ? <ErrorNote error={error} retry={() => void refetch()} /> : null}
      {change.error ? <ErrorNote error={change.error} /> : null}
      {data ? (
        <ul>
          {data.map((member) => (
            <li key={member.id}>
              <bdi>{member.name}</bdi>
              <span className="chip">{t(`role.${member.role}`)}</span>
              {mine && member.role !== 'host' ? (
                <MenuButton
                  label={t('people.acts', { name: member.name })} button={<Ellipsis aria-hidden="true" />}
                  groups={[
                    { entries: named.filter((as) => as !== member.role).map((as) => ({ id: as, label: t(`members.make.${as}`), icon: <UserRoundCheck aria-hidden="true" />, onAct: () => change.mutate(() => agent.setMeetingMember(meeting.id, member.id, as)) })) },
                    { entries: member.role === 'cohost' ? [{ id: 'hand-over', label: t('role.handover'), icon: <Crown aria-hidden="true" />, onAct: () => setAsked({ what: 'hand-over', member }) }] : [] },
                    { entries: [{ id: 'remove', label: t('members.remove'), icon: <UserMinus aria-hidden="true" />, danger: true, onAct: () => setAsked({ what: 'remove', member }) }] },
                  ]}
                />
              ) : null}
            </li>
          ))}
        </ul>
      ) : error ? null : <Loading />}
      {mine ? <NameForm meeting={meeting} /> : null}
      <Confirm
        open={asked !== null} onClose={close} cancel={t('common.cancel')} act={t(words.act)} kind={asked?.what === 'hand-over' ? 'primary' : 'danger'} onAct={confirmed}
        title={<Words id={words.ask} values={{ name: <bdi>{asked?.member.name ?? ''}</bdi> }} />}
      >
        <p>{t(words.effect)}</p>
      </Confirm>
    </section>
  )
}

function NameForm({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const queries = useQueryClient()
  const [email, setEmail] = useState('')
  const name = useMutation({
    mutationFn: ({ email, as }: { email: string; as: Named }) => agent.nameMember(meeting.id, email, as),
    onSuccess: (member) => {
      setEmail('')
      announce(t('members.named', { name: member.name }))
      return queries.invalidateQueries({ queryKey: ['members', meeting.id] })
    },
  })
  const unknown = isProblem(name.error, 'invalid') && name.error.fields['email']
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!name.isPending) name.mutate({ email: email.trim(), as: asNamed(textOf(new FormData(event.currentTarget), 'role')) })
  }
  return (
    <form className="name-member" onSubmit={submit}>
      <Field label={t('members.email')} name="email" type="email" required maxLength={254} autoComplete="off" value={email} onChange={(event) => setEmail(event.target.value)} error={unknown ? t('members.unknown') : undefined} />
      <SelectField label={t('members.role')} name="role" defaultValue="cohost">
        {named.map((as) => <option key={as} value={as}>{t(`role.${as}`)}</option>)}
      </SelectField>
      <Button type="submit" busy={name.isPending}>{t('members.add')}</Button>
      {name.error && !unknown ? <ErrorNote error={name.error} /> : null}
    </form>
  )
}
