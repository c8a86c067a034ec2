import { describe, expect, it } from 'vitest'
import type { Person } from '@/call/live'
import { found } from './search'

const people = [['Inês Duarte', 'MNE'], ['Jürgen Groß', ''], ['Łukasz Đinđić', 'Ambassade'], ['محمَّد علي', ''], ['Anne Bernard', 'Ministère']].map(([name, organisation]) => ({ name, organisation }) as Person)

describe('a search among people', () => {
  it.each([
    ['ines', 'Inês Duarte'], ['INÊS', 'Inês Duarte'], ['duarte  ine', 'Inês Duarte'], ['gross', 'Jürgen Groß'], ['jurgen', 'Jürgen Groß'], ['lukasz dindic', 'Łukasz Đinđić'],
    ['محمد', 'محمَّد علي'], ['ministere', 'Anne Bernard'], ['bernard mne', ''], ['xyz', ''],
  ])('%s finds %s', (wanted, name) => {
    expect(found(people, wanted).map((person) => person.name).join()).toBe(name)
  })
  it.each(['', '  '])('for nothing (%j) finds everybody', (wanted) => {
    expect(found(people, wanted)).toBe(people)
  })
})
