import type { Person } from '@/call/live'
import { finder } from '@/i18n/fold'

/** Those in whose name or organisation every word that is looked for occurs; everybody if nothing is. */
export function found(people: readonly Person[], wanted: string): readonly Person[] {
  if (wanted.trim() === '') return people
  const finds = finder(wanted)
  return people.filter(({ name, organisation }) => finds(`${name} ${organisation}`))
}
