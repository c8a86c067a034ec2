// When a meeting is: without a date, at a time, or permanently.
import { useT } from '@/i18n'
import { Field, textOf } from '@/ui'

export type Kind = 'undated' | 'dated' | 'permanent'

interface Props {
  kind: Kind
  onKind: (kind: Kind) => void
  /** What the first choice is called: a new meeting is for now. */
  undated: string
  /** What the fields show first. */
  start: Date
  minutes: number
  errors: Readonly<Record<string, string>>
}

export function When({ kind, onKind, undated, start, minutes, errors }: Props) {
  const t = useT()
  const words: [Kind, string][] = [['undated', undated], ['dated', t('create.when.later')], ['permanent', t('create.when.permanent')]]
  return (
    <>
      <fieldset className="stack-s">
        <legend>{t('create.when')}</legend>
        {words.map(([of, word]) => <label key={of} className="radio"><input type="radio" name="when" checked={kind === of} onChange={() => onKind(of)} />{word}</label>)}
      </fieldset>
      {kind === 'dated' ? (
        <div className="pair">
          <Field label={t('create.start')} name="start" type="datetime-local" required defaultValue={local(start)} error={errors['starts_at']} />
          <Field label={t('create.minutes')} name="minutes" type="number" min={5} max={1440} step={5} required defaultValue={minutes} error={errors['ends_at']} />
        </div>
      ) : kind === 'permanent' ? <p className="sm muted">{t('create.permanent.says')}</p> : null}
    </>
  )
}

/** What the form says, in UTC from its local clock. */
export function schedule(kind: Kind, form: FormData): { starts_at?: string; ends_at?: string; permanent?: true } {
  if (kind === 'permanent') return { permanent: true }
  const from = new Date(textOf(form, 'start'))
  if (kind === 'undated' || Number.isNaN(from.getTime())) return {}
  return { starts_at: from.toISOString(), ends_at: new Date(from.getTime() + Number(textOf(form, 'minutes')) * 60_000).toISOString() }
}

/** The next full hour. */
export function nextHour(now: number): Date {
  const at = new Date(now + 3_600_000)
  at.setMinutes(0, 0, 0)
  return at
}

/** A moment as datetime-local wants it. */
function local(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
