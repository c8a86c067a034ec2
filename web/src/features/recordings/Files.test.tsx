// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import type { KeptRecording } from '@/api'
import { activate } from '@/i18n'
import { loadRecordingWords } from '@/i18n/recordings'
import { Files } from './Files'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
afterEach(() => {
  vi.unstubAllGlobals()
  document.body.replaceChildren()
})

it('says of each part how large it is, where it lies, and its checksum, which can be copied', async () => {
  const part = (number: number, stored: KeptRecording['parts'][number]['stored'], sha256?: string) => ({ number, name: `part-${number}.tar`, bytes: 12_000_000, closed: true, broken_off: number === 2, stored, ...(sha256 ? { sha256 } : {}) })
  const sums = ['a', 'b'].map((digit) => digit.repeat(64))
  const one = { parts: [part(1, 'there', sums[0]), part(2, 'uploading', sums[1]), part(3, 'here')] } as unknown as KeptRecording
  await activate('fr')
  await loadRecordingWords()
  const copied: string[] = []
  vi.stubGlobal('navigator', { clipboard: { writeText: (text: string) => (copied.push(text), Promise.resolve()) } })
  const root = createRoot(document.body.appendChild(document.createElement('div')))
  await act(async () => Promise.resolve(root.render(<Files one={one} />)))
  const lines = [...document.querySelectorAll('li')].map((line) => line.textContent)
  expect(lines.map((line) => /dans le stockage|en route vers le stockage|sur le serveur/.exec(line)?.[0])).toEqual(['dans le stockage', 'en route vers le stockage', 'sur le serveur'])
  expect([...document.querySelectorAll('li code')].map((sum) => [sum.textContent, sum.getAttribute('dir')])).toEqual(sums.map((sum) => [sum, 'ltr']))
  expect(lines.map((line) => line.includes('interrompue avec le serveur'))).toEqual([false, true, false])
  expect(lines[2]).toContain('pas encore connu')
  expect(lines[0]).toMatch(/Partie 1\s12[,.]?\d*\sMo/)
  const buttons = document.querySelectorAll('button')
  expect([...buttons].map((button) => button.getAttribute('aria-label'))).toEqual(['Copier le SHA-256 de la partie 1', 'Copier le SHA-256 de la partie 2'])
  await act(async () => Promise.resolve(buttons[1]?.click()))
  expect(copied).toEqual([sums[1]])
  await act(async () => Promise.resolve(root.unmount()))
})
