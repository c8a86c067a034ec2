// What is wrong with the fields of a form, in the reader's language.
import { isProblem, type Mistake } from '@/api'
import { useT } from '@/i18n'

// One word for each kind of mistake that the server can tell: the type is made from its description.
const words: Readonly<Record<Mistake, string>> = {
  form: 'fault.form',
  taken: 'fault.taken',
  required: 'fault.required',
  'too-long': 'fault.toolong',
  unshowable: 'fault.unshowable',
  'id-form': 'fault.id',
  'unknown-value': 'fault.unknown',
  'out-of-range': 'fault.range',
  'no-way-in': 'fault.nowayin',
  'no-guests': 'fault.noguests',
  'spoken-code-shared': 'fault.spokenshared',
  'encrypted-recording': 'fault.recording',
  'delay-without-end': 'fault.delay',
  // The words of keys come with the page of a post, where alone one is typed.
  'private-key': 'archives.private',
  'classic-key': 'archives.classic',
  'damaged-key': 'archives.damaged',
  'key-there': 'archives.there',
}

/** The words for a kind of mistake; undefined for one that a newer server has. */
function wordOf(mistake: string | undefined): string | undefined {
  return Object.entries(words).find(([known]) => known === mistake)?.[1]
}

/** What is wrong with each field, by its path; for a kind that has no words yet, as the server says it. */
export function useFaults(error: unknown): Readonly<Record<string, string>> {
  const t = useT()
  if (!isProblem(error, 'invalid', 'conflict')) return {}
  return Object.fromEntries(Object.entries(error.fields).map(([path, said]) => {
    const word = wordOf(error.mistake(path))
    return [path, word === undefined ? said : t(word)]
  }))
}
