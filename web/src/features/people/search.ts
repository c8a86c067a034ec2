import type { Person } from '@/call/live'

/** Letters without accents and case, so that "ines" finds "Inês" and "MULLER" finds "Müller". */
export function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase('und').replaceAll('ß', 'ss').replaceAll('ø', 'o').replaceAll('ł', 'l').replaceAll('đ', 'd').replaceAll('ı', 'i')
}

/** Those in whose name or organisation every word that is looked for occurs; everybody if nothing is. */
export function found(people: readonly Person[], wanted: string): readonly Person[] {
  const words = folded(wanted).split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return people
  return people.filter(({ name, organisation }) => {
    const text = folded(`${name} ${organisation}`)
    return words.every((word) => text.includes(word))
  })
}
