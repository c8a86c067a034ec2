// Runs before anything else: what stands after # in a link is a secret and leaves the address bar at once, before any other
// module, extension prompt or screenshot can see it. A guest's secret stays in this tab until the link is redeemed,
// so that a reload in between does not lose it; one-time codes stay in memory only.
import { keepForRedemption } from './secrets'

const invitation = /^\/i\/([A-Za-z0-9_-]{1,64})\/?$/

function take(): string {
  const fragment = location.hash.slice(1)
  if (fragment !== '') history.replaceState(null, '', location.pathname + location.search)
  return fragment
}

const fragment = take()
const linkID = invitation.exec(location.pathname)?.[1] ?? null
if (linkID && fragment) keepForRedemption(linkID, fragment)

// A link pasted over the same page changes only the fragment; the browser then loads nothing.
addEventListener('hashchange', () => {
  if (location.hash.length < 2 || !/^\/(i\/|signin|setup)/.test(location.pathname)) return
  const pasted = take()
  const pastedLink = invitation.exec(location.pathname)?.[1]
  if (pastedLink) {
    keepForRedemption(pastedLink, pasted)
    location.reload()
  } else {
    location.replace(`${location.pathname}?again#${pasted}`)
  }
})

/** What the address said when the page was opened. */
export const opened = {
  path: location.pathname.replace(/\/+$/, '') || '/',
  linkID,
  /** The one-time code of /signin and /setup. */
  code: linkID ? '' : fragment,
}
