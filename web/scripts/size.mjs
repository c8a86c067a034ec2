// Byte budgets of web.md, on what a browser really loads (gzip): exit 1 when one is passed.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const manifest = JSON.parse(fs.readFileSync(path.join(dist, 'manifest.json'), 'utf8'))
const gzip = (file) => zlib.gzipSync(fs.readFileSync(path.join(dist, file)), { level: 9 }).length
const keyOf = (file) => Object.keys(manifest).find((name) => manifest[name].file === file)
const key = (source) => {
  if (!(source in manifest)) throw new Error(`${source} is not in the build: the budgets below must follow when files move`)
  return source
}

/** The scripts and styles that a page names itself. */
function named(page) {
  const html = fs.readFileSync(path.join(dist, page), 'utf8')
  return [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1])
}

/** Everything that is loaded with these entries: their static imports, all the way down. */
function closure(sources) {
  const js = new Set()
  const css = new Set()
  const visit = (name) => {
    const chunk = manifest[name]
    if (js.has(chunk.file)) return
    js.add(chunk.file)
    for (const file of chunk.css ?? []) css.add(file)
    for (const dependency of chunk.imports ?? []) visit(dependency)
  }
  sources.forEach(visit)
  return { js, css }
}

const files = named('guest.html')
const entry = closure([...files.filter((file) => file.endsWith('.js')).map(keyOf), key('src/i18n/locales/fr.po?door')])
for (const file of files.filter((name) => name.endsWith('.css'))) entry.css.add(file)
// A part that two pages load has no source of its own in the manifest, only its name.
const shared = (name) => {
  const found = Object.keys(manifest).find((one) => manifest[one].name === name && manifest[one].file.endsWith('.js'))
  if (!found) throw new Error(`no part of the build is called ${name}: the budgets below must follow when files move`)
  return found
}
const call = closure([shared('stage'), key('src/i18n/locales/fr.po?call')])
const hosting = closure([key('src/features/host/index.ts'), key('src/i18n/locales/fr.po?call'), key('src/i18n/locales/fr.po?agents')])
const agents = closure([key('src/app/AgentApp.tsx')])
const minus = (set, other) => [...set].filter((file) => !other.has(file))
const sum = (files) => [...files].reduce((total, file) => total + gzip(file), 0)

const budgets = [
  ['guest entry, JavaScript', sum(entry.js), 90_000],
  ['guest entry, CSS', sum(entry.css), 30_000],
  ['guest.html', gzip('guest.html'), 10_000],
  ['call, JavaScript beyond the entry', sum(minus(call.js, entry.js)), 250_000],
  ['call, CSS beyond the entry', sum(minus(call.css, entry.css)), 30_000],
  ['a host’s call, JavaScript beyond the agents’ pages', sum(minus(hosting.js, new Set([...entry.js, ...agents.js]))), 250_000],
  ['agents’ pages, JavaScript beyond the entry', sum(minus(agents.js, entry.js)), 100_000],
]
let over = false
for (const [what, bytes, limit] of budgets) {
  const bad = bytes > limit
  over ||= bad
  console.log(`${bad ? 'OVER' : 'ok  '} ${what}: ${(bytes / 1000).toFixed(1)} of ${limit / 1000} kB`)
}
process.exit(over ? 1 : 0)
