// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, it, vi } from 'vitest'
import { problemFrom } from '@/api/http'
import { activate, loadAllWords } from '@/i18n'
import { Refused } from './endings'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

async function page(problem: object, lang: 'fr' | 'en'): Promise<string> {
  await activate(lang)
  await loadAllWords()
  const place = document.body.appendChild(document.createElement('div'))
  const root = createRoot(place)
  await act(async () => Promise.resolve(root.render(<Refused problem={problemFrom(403, problem)} retry={vi.fn()} />)))
  const text = place.querySelector('main')?.textContent ?? ''
  await act(async () => Promise.resolve(root.unmount()))
  place.remove()
  return text
}

const refuses = (line: string) => ({ type: 'urn:aparte:problem:profile-refuses', line, host: 'Anne Bernard', profile: { fr: 'Protégé', en: 'Protected' } })

it.each(['guests', 'shared_links', 'personal_links', 'pin', 'link_hours', 'a line of a newer server'])('says which rule does not let a link in, and whom to ask: %s', async (line) => {
  const fr = await page(refuses(line), 'fr')
  expect(fr).toMatch(/^Les règles de la réunion ne laissent pas entrer par ce lien/)
  expect(fr).toContain('Anne Bernard')
  expect(fr).toContain('Protégé')
  const en = await page(refuses(line), 'en')
  expect(en).toMatch(/^This meeting’s rules do not let this link in/)
  expect(en).toContain('Protected')
  expect(fr + en).not.toContain('end.rules')
})

it('names the host by what they are where the server does not', async () => {
  expect(await page({ type: 'urn:aparte:problem:profile-unavailable' }, 'fr')).toContain('la personne dont vient l’invitation')
})

it('teaches nothing about an unknown link, nor about one with another secret', async () => {
  expect(await page({ type: 'urn:aparte:problem:link-unknown' }, 'en')).toMatch(/^This link is no longer valid/)
})
