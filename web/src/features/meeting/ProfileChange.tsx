// Another security profile for a meeting: chosen, looked at, then in force at once.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { agent, type Meeting, type MeetingEffects } from '@/api'
import { ErrorNote } from '@/features/frame'
import { useT } from '@/i18n'
import { announce, Button } from '@/ui'
import { Dialog } from '@/ui/overlays'
import { Effects } from './Effects'
import { ProfileCards } from './ProfileCards'
import { useProfiles } from './useProfiles'

export function ProfileChange({ meeting }: { meeting: Meeting }) {
  const t = useT()
  const [open, setOpen] = useState(false)
  return (
    <>
      <Button kind="quiet" onClick={() => setOpen(true)}>{t('profile.change')}</Button>
      <Dialog open={open} onClose={() => setOpen(false)} closeLabel={t('common.close')} title={t('profile.change')}>
        <Choice meeting={meeting} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  )
}

function Choice({ meeting, onDone }: { meeting: Meeting; onDone: () => void }) {
  const t = useT()
  const queries = useQueryClient()
  const { data } = useProfiles(meeting.post)
  const [chosen, setChosen] = useState(meeting.profile)
  const [seen, setSeen] = useState<MeetingEffects | null>(null)
  const preview = useMutation({ mutationFn: () => agent.previewChoice(meeting.id, chosen), onSuccess: setSeen })
  const choose = useMutation({
    mutationFn: () => agent.chooseProfile(meeting.id, chosen),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['meeting', meeting.id] })
      announce(t('profile.changed'))
      onDone()
    },
  })
  const error = preview.error ?? choose.error
  return (
    <div className="stack">
      <ProfileCards profiles={data ?? []} chosen={chosen} onChoose={(id) => { setChosen(id); setSeen(null); preview.reset() }} />
      {seen ? <section aria-label={t('effects.title')}><Effects meetings={[seen]} /></section> : null}
      {error ? <ErrorNote error={error} /> : null}
      {seen
        ? <Button kind="primary" big busy={choose.isPending} onClick={() => choose.mutate()}>{t('profile.apply')}</Button>
        : <Button kind="primary" big disabled={chosen === meeting.profile} busy={preview.isPending} onClick={() => preview.mutate()}>{t('profile.preview')}</Button>}
    </div>
  )
}
