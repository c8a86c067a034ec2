// The catalogues are PO files: translators have tools for them. This plugin compiles their ICU messages
// at build time, so that no message parser travels to the browser.
import { compileMessage } from '@lingui/message-utils/compileMessage'
import PO from 'pofile'
import type { Plugin } from 'vite'

/** The texts of a PO file by id; entries without translation are left out. */
export function readPO(source: string): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const item of PO.parse(source).items) {
    if (item.obsolete) continue
    const text = item.msgstr[0]
    if (text) texts[item.msgid] = text
  }
  return texts
}

// What a guest may read before asking to enter: its words travel with the entry page.
const atTheDoor = /^(frame\.(?!agents|nopage)|common\.(?!cancel|close|done|notstored)|entry\.)|^(ctl\.(mic|cam)\.on|devices\.(atentry|(mic|cam)\.will(on|off))|end\.(ended|nostart)|lobby\.admitted)$/

// What only agents' pages and a host's own panels say: no guest waits for it. The rest travels with the call.
const agentsOnly = /^(accounts?|attended|audit|calendar|create|door|edit|effects|health|kept|mail|meeting|members|notices|orphans|own|password|posts|profiles?|recs|sessions|setup|signin|wait)\.|^(links\.(?!inuse$|new$)|lobbyp\.(?!ban$|thread$|title$|undo$)|meetings\.(?!present$|waiting$))/

// What only administrators and auditors read, who are few: it travels with their pages.
const ofAdministration = /^(accounts\.(?!title|email\.invalid)|archives\.|audit\.(?!title)|health\.(?!title))/

// What is said of recordings that were made: it travels with their list, and with the page that opens them.
const ofRecordings = /^(opening\.|recs\.(?!title))/

// What only whoever watches a recording reads: it travels with that page.
const ofFilms = /^film\./

function partOf(id: string): 'door' | 'call' | 'agents' | 'admin' | 'recordings' | 'film' {
  return atTheDoor.test(id) ? 'door' : ofAdministration.test(id) ? 'admin' : ofRecordings.test(id) ? 'recordings' : ofFilms.test(id) ? 'film' : agentsOnly.test(id) ? 'agents' : 'call'
}

/** The part of a catalogue that an import asks for: ?door, ?call, ?agents, ?admin, ?recordings, ?film, or everything. */
export function part(texts: Record<string, string>, query: string): Record<string, string> {
  if (query === '') return texts
  return Object.fromEntries(Object.entries(texts).filter(([id]) => partOf(id) === query))
}

/** Lets a module import a .po file: the default export is a compiled lingui catalogue. */
export function catalogues(): Plugin {
  return {
    name: 'aparte-catalogues',
    transform(source, id) {
      const [file = '', query = ''] = id.split('?')
      if (!file.endsWith('.po')) return null
      const compiled = Object.fromEntries(Object.entries(part(readPO(source), query)).map(([key, text]) => [key, compileMessage(text)]))
      return { code: `export default JSON.parse(${JSON.stringify(JSON.stringify(compiled))})`, map: null, moduleType: 'js' }
    },
  }
}
