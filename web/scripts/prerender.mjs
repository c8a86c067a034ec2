// After vite build: puts the guest's entry form into guest.html, so that it is readable before any script has run, and writes
// the page in every language (guest.ar.html; the server chooses by what the browser prefers, see embed.go). Then
// writes the compressed twins that the server sends.
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { compress } from './compress.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = path.join(root, 'dist')

const vite = await createServer({ root, configFile: path.join(root, 'vite.config.ts'), server: { middlewareMode: true, hmr: false, ws: false, watch: null }, appType: 'custom', logLevel: 'error', optimizeDeps: { noDiscovery: true } })
try {
  const { entries } = await vite.ssrLoadModule('/src/app/prerender.tsx')
  const page = fs.readFileSync(path.join(dist, 'guest.html'), 'utf8')
  const head = '<html lang="fr" dir="ltr">'
  if (!page.includes('<!--entry-->') || !page.includes(head)) throw new Error('guest.html has lost its place for the form, or its language')
  for (const { lang, dir, html } of await entries()) {
    if (/ style=/.test(html)) throw new Error('the prerendered page has style attributes, which the policy refuses')
    const whole = page.replace('<!--entry-->', html).replace(head, `<html lang="${lang}" dir="${dir}">`)
    fs.writeFileSync(path.join(dist, `guest.${lang}.html`), whole)
    if (lang === 'fr') fs.writeFileSync(path.join(dist, 'guest.html'), whole)
  }
} finally {
  await vite.close()
}

await compress(dist)
