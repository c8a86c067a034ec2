// Secrets and PINs of guest links are made here, in the host's browser: the server receives only hashes of what is derived
// from them. This browser keeps both, so that they can be copied again.
import { agent, codeHash, keepPIN, keepSecret, keptSecret, linkURL, newPIN, newSecret, pinHash, redemptionCode, type Link, type LinkDraft } from '@/api'

/** A link and what leaves this browser by the host's hand: its address, and the PIN by another way. */
export interface Made {
  link: Link
  url: string
  pin: string | null
}

export type Draft = Omit<LinkDraft, 'code_hash' | 'pin_hash'> & { withPIN: boolean }

interface Fresh {
  secret: string
  pin: string | null
  hashes: { code_hash: string; pin_hash?: string }
}

async function fresh(withPIN: boolean): Promise<Fresh> {
  const secret = newSecret()
  const code = await redemptionCode(secret)
  if (code === null) throw new Error('a fresh secret is well formed')
  const pin = withPIN ? newPIN() : null
  return { secret, pin, hashes: { code_hash: await codeHash(code), ...(pin === null ? {} : { pin_hash: await pinHash(secret, pin) }) } }
}

function keepAll(link: Link, { secret, pin }: Fresh): Made {
  keepSecret(link.id, secret)
  keepPIN(link.id, pin)
  return { link, url: linkURL(location.origin, link.id, secret), pin }
}

export async function makeLink(meetingID: string, { withPIN, ...draft }: Draft): Promise<Made> {
  const made = await fresh(withPIN)
  return keepAll(await agent.createLink(meetingID, { ...draft, ...made.hashes }), made)
}

/** All of them or none. */
export async function makeLinks(meetingID: string, drafts: readonly Draft[]): Promise<Made[]> {
  const all = await Promise.all(drafts.map(async ({ withPIN, ...draft }) => ({ draft, made: await fresh(withPIN) })))
  const links = await agent.createLinks(meetingID, all.map(({ draft, made }) => ({ ...draft, ...made.hashes })))
  return links.flatMap((link, i) => {
    const made = all[i]?.made
    return made ? [keepAll(link, made)] : []
  })
}

/** A new secret for the same link, and a new PIN if it had one. expiresAt: only where the old end is past. */
export async function reissue(meetingID: string, link: Link, expiresAt?: string): Promise<Made> {
  const made = await fresh(link.pin)
  return keepAll(await agent.reissueLink(meetingID, link.id, { ...made.hashes, ...(expiresAt ? { expires_at: expiresAt } : {}) }), made)
}

/** A new PIN, possible only where this browser keeps the secret. */
export async function changePIN(meetingID: string, linkID: string): Promise<string> {
  const secret = keptSecret(linkID)
  if (secret === null) throw new Error('the secret of the link is kept in another browser')
  const pin = newPIN()
  await agent.setLinkPIN(meetingID, linkID, await pinHash(secret, pin))
  keepPIN(linkID, pin)
  return pin
}

export async function removePIN(meetingID: string, linkID: string): Promise<void> {
  await agent.setLinkPIN(meetingID, linkID, '')
  keepPIN(linkID, null)
}
