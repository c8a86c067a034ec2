// @vitest-environment happy-dom
// Every kind of mistake that the server's description names has words in every language.
import { readFile } from 'node:fs/promises'
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, it, vi } from 'vitest'
import { Problem } from '@/api'
import { problemFrom } from '@/api/http'
import { activate, languages, loadAllWords, type Lang } from '@/i18n'
import { useFaults } from './faults'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

async function faults(error: unknown): Promise<Readonly<Record<string, string>>> {
  let found = {}
  function Asking() {
    found = useFaults(error)
    return null
  }
  const root = createRoot(document.createElement('div'))
  await act(async () => Promise.resolve(root.render(<Asking />)))
  await act(async () => Promise.resolve(root.unmount()))
  return found
}

const described = async (): Promise<string[]> => {
  const contract = JSON.parse(await readFile(`${process.cwd()}/src/api/openapi.json`, 'utf8')) as { components: { schemas: { ProblemField: { properties: { code: { enum: string[] } } } } } }
  return contract.components.schemas.ProblemField.properties.code.enum
}

it.each(Object.keys(languages) as Lang[])('has words for each mistake in %s', async (lang) => {
  await activate(lang)
  await loadAllWords()
  const codes = await described()
  expect(codes.length).toBeGreaterThan(10)
  const errors = codes.map((code) => ({ location: `body.${code}`, message: 'the server’s words', code }))
  const said = await faults(problemFrom(422, { type: 'urn:aparte:problem:invalid', errors }))
  expect(Object.keys(said)).toEqual(codes)
  expect(Object.entries(said).filter(([, text]) => text === 'the server’s words' || text.startsWith('fault.'))).toEqual([])
  expect(new Set(Object.values(said)).size).toBe(codes.length)
})

it('says what a newer server says, where it has no words', async () => {
  expect(await faults(problemFrom(422, { type: 'urn:aparte:problem:invalid', errors: [{ location: 'body.id', message: 'is odd', code: 'odd' }, { location: 'body.name', message: 'is strange' }] }))).toEqual({ id: 'is odd', name: 'is strange' })
})

it('finds no field at fault in another problem', async () => {
  expect(await faults(new Problem('offline', 0, ''))).toEqual({})
  expect(await faults(null)).toEqual({})
})
