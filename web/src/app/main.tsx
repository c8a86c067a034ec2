// The first import clears the address bar: keep it first.
import { opened } from './boot'
import { lazy, Suspense, type ReactNode } from 'react'
import { flushSync } from 'react-dom'
import { createRoot } from 'react-dom/client'
import { Boundary, Loading } from '@/features/frame'
import { GuestApp, typedBefore } from '@/features/guest'
import { activate, keptLang, loadAllWords, preferredLang } from '@/i18n'
import { applyTheme, keptTheme, LiveRegions, patiently } from '@/ui'
import '@/ui/tokens.css'
import '@/ui/base.css'
import { keepFor } from './secrets'

const AgentApp = lazy(() => patiently(() => Promise.all([import('./AgentApp'), loadAllWords()])).then(([module]) => ({ default: module.AgentApp })))

function App({ typed }: { typed: ReturnType<typeof typedBefore> }): ReactNode {
  if (opened.linkID) return <GuestApp linkID={opened.linkID} keep={keepFor(opened.linkID)} typed={typed} />
  return <Suspense fallback={<Loading />}><AgentApp path={opened.path} code={opened.code} /></Suspense>
}

async function start(): Promise<void> {
  applyTheme(keptTheme())
  await activate(preferredLang(location.search, keptLang(), navigator.languages))
  const root = document.getElementById('root')
  if (!root) throw new Error('the page has no root')
  // In one go: a letter typed between the reading and the taking over would be in neither form.
  const typed = typedBefore()
  flushSync(() => createRoot(root).render(
    <>
      <Boundary><App typed={typed} /></Boundary>
      <LiveRegions />
    </>,
  ))
}

void start()
