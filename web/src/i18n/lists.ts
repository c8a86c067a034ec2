// Several things in a row, as the language joins them.
import { localeOf, type Lang } from './languages'

/** "a, b et c", "a, b and c", "أ وب وج". */
export function listed(things: readonly string[], lang: Lang): string {
  return new Intl.ListFormat(localeOf(lang)).format(things)
}
