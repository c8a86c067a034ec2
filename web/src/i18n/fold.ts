// Words that are looked for, whatever the accents and capitals.

/** Letters without accents and case, so that "ines" finds "Inês" and "MULLER" finds "Müller". */
function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase('und').replaceAll('ß', 'ss').replaceAll('ø', 'o').replaceAll('ł', 'l').replaceAll('đ', 'd').replaceAll('ı', 'i')
}

/** Tells texts in which every word that is looked for occurs; all texts if nothing is. */
export function finder(wanted: string): (text: string) => boolean {
  const words = folded(wanted).split(/\s+/).filter((word) => word !== '')
  return (text) => {
    const within = folded(text)
    return words.every((word) => within.includes(word))
  }
}
