// @vitest-environment happy-dom
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { createRoot } from 'react-dom/client'
import { afterEach, expect, it, vi } from 'vitest'
import { useNoLongerActs } from './useNoLongerActs'

afterEach(() => vi.unstubAllGlobals())

const post = (role: string) => ({ id: 'P', name: 'Dakar', role })

it.each([
  ['acts there still: refused for another reason', [post('agent')], true, false],
  ['is nothing there any more', [], true, true],
  ['reads its trail from now on', [post('auditor')], true, true],
  ['was not refused: nobody asks', [], false, false],
])('an agent who %s', async (_, posts, refused, want) => {
  const fetch = vi.fn(() => Promise.resolve(new Response(JSON.stringify({ posts }), { headers: { 'Content-Type': 'application/json' } })))
  vi.stubGlobal('fetch', fetch)
  let told: boolean | undefined
  function Page() {
    told = useNoLongerActs('P', refused)
    return null
  }
  const client = new QueryClient()
  const root = createRoot(document.createElement('div'))
  root.render(<QueryClientProvider client={client}><Page /></QueryClientProvider>)
  await vi.waitFor(() => {
    expect(client.getQueryData(['acts-at', 'P'])).toBe(refused ? !want : undefined)
    expect(told).toBe(want)
  }, 30_000)
  expect(fetch).toHaveBeenCalledTimes(refused ? 1 : 0)
  root.unmount()
})
