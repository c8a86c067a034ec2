// Byte budgets of web.md, on what a browser really loads (gzip): exit 1 when one is passed.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const manifest = JSON.parse(fs.readFileSync(path.join(dist, 'manifest.json'), 'utf8'))
const gzip = (file) => zlib.gzipSync(fs.readFileSync(path.join(dist, file)), { level: 9 }).length
const key = (source) => {
  const found = Object.keys(manifest).find((name) => name === source)
  if (!found) throw new Error(`${source} is not in the build: the budgets below must follow when files move`)
  return found
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
  sources.map(key).forEach(visit)
  return { js, css }
}

const entry = closure(['guest.html', 'src/i18n/locales/fr.po?door'])
const call = closure(['src/features/stage/index.ts', 'src/i18n/locales/fr.po?rest'])
const agents = closure(['src/app/AgentApp.tsx'])
const minus = (set, other) => [...set].filter((file) => !other.has(file))
const sum = (files) => [...files].reduce((total, file) => total + gzip(file), 0)

const budgets = [
  ['guest entry, JavaScript', sum(entry.js), 90_000],
  ['guest entry, CSS', sum(entry.css), 30_000],
  ['guest.html', gzip('guest.html'), 10_000],
  ['call, JavaScript beyond the entry', sum(minus(call.js, entry.js)), 250_000],
  ['call, CSS beyond the entry', sum(minus(call.css, entry.css)), 30_000],
  ['agents’ pages, JavaScript beyond the entry', sum(minus(agents.js, entry.js)), 100_000],
]
let over = false
for (const [what, bytes, limit] of budgets) {
  const bad = bytes > limit
  over ||= bad
  console.log(`${bad ? 'OVER' : 'ok  '} ${what}: ${(bytes / 1000).toFixed(1)} of ${limit / 1000} kB`)
}
process.exit(over ? 1 : 0)
