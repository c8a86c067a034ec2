import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { catalogues } from './scripts/po.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const server = process.env['APARTE_SERVER'] ?? 'http://127.0.0.1:7880'

export default defineConfig({
  plugins: [react(), catalogues()],
  resolve: { alias: { '@': here('./src') } },
  build: {
    target: ['es2022', 'chrome109', 'firefox115', 'safari16'],
    assetsInlineLimit: 0,
    // The polyfill is an inline script; every browser that runs the call preloads modules by itself.
    modulePreload: { polyfill: false },
    manifest: 'manifest.json',
    license: { fileName: 'licences.txt' },
    rollupOptions: {
      input: { index: here('./index.html'), guest: here('./guest.html') },
      // Each set of sharers would make a chunk of what the first page shares with later ones; as one it is fewer bytes and requests.
      output: { codeSplitting: { includeDependenciesRecursively: false, groups: [{ name: 'first', test: /src[\\/](ui[\\/](Switch|useStore|live|sounds)|api[\\/]store|call[\\/](intents|kept|json))\.tsx?$|icons[\\/](video|video-off|mic|mic-off)\.mjs$/ }] } },
    },
  },
  worker: { format: 'es' },
  server: { proxy: { '/opener': server,  '/api': { target: server, ws: true }, '/rtc': { target: server, ws: true } } },
  test: { environment: 'node', testTimeout: 50_000, hookTimeout: 50_000, include: ['src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'] },
})
