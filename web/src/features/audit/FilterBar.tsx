import { X } from 'lucide-react'
import { useLang, useT } from '@/i18n'
import { zone } from '@/i18n/dates'
import { Button, Field, SelectField } from '@/ui'
import { groupNames, groupOf, groups, type Group } from './acts'
import { everything, type Filters } from './filters'
import type { Names } from './sentence'

interface Props {
  filters: Filters
  names: Names
  onChange: (part: Partial<Filters>) => void
}

const kinds = ['agent', 'guest', 'server', 'nobody']

/** What is looked for: kinds of acts and days to choose here, one person, meeting or link as chosen in an event. */
export function FilterBar({ filters, names, onChange }: Props) {
  const t = useT()
  const lang = useLang()
  const group = filters.acts.length === 0 ? '' : (groupOf(filters.acts) ?? 'chosen')
  const nameOf = (id: string) => names[id] ?? (kinds.includes(id) ? t(`audit.who.${id}`) : id)
  const chosen = [
    ...(group === 'chosen' ? [{ key: 'acts', text: t('audit.only.act', { n: filters.acts.join(', ') }), drop: { acts: [] } }] : []),
    ...(['actor', 'meeting', 'link', 'guest'] as const).filter((key) => filters[key]).map((key) => ({ key, text: t(`audit.only.${key}`, { name: nameOf(filters[key]) }), drop: { [key]: '' } })),
  ]
  return (
    <div className="stack-s" role="search" aria-label={t('audit.filters')}>
      <div className="audit-filters">
        <SelectField label={t('audit.kind')} value={group} onChange={(event) => onChange({ acts: event.target.value ? groups[event.target.value as Group] : [] })}>
          <option value="">{t('audit.kind.all')}</option>
          {groupNames.map((name) => <option key={name} value={name}>{t(`audit.kind.${name}`)}</option>)}
          {group === 'chosen' ? <option value="chosen" disabled>{t('audit.kind.chosen')}</option> : null}
        </SelectField>
        <Field label={t('audit.from')} type="date" value={filters.from} max={filters.to || undefined} onChange={(event) => onChange({ from: event.target.value })} />
        <Field label={t('audit.to')} type="date" value={filters.to} min={filters.from || undefined} onChange={(event) => onChange({ to: event.target.value })} />
      </div>
      <p className="sm muted">{t('audit.zone', { zone: zone(new Date(), lang) })}</p>
      {chosen.length > 0 ? (
        <ul className="chips">
          {chosen.map(({ key, text, drop }) => <li key={key}><Button kind="soft" icon={<X aria-hidden="true" />} onClick={() => onChange(drop)}><span className="vh">{t('audit.only.drop', { name: text })}</span><bdi aria-hidden="true">{text}</bdi></Button></li>)}
        </ul>
      ) : null}
      {chosen.length > 0 || group || filters.from || filters.to ? <div className="row"><Button onClick={() => onChange(everything)}>{t('audit.clear')}</Button></div> : null}
    </div>
  )
}
