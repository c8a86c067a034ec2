// The entry page as it stands before the link is redeemed: made at build time by scripts/prerender.mjs.
import { renderToStaticMarkup } from 'react-dom/server'
import { EntryShell } from '@/features/guest'
import { activate } from '@/i18n'

export async function entryHTML(): Promise<string> {
  await activate('fr')
  return renderToStaticMarkup(<EntryShell />)
}
