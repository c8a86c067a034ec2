/** A one-time link leads to the choice of a password: without one the link would be the only way in, and it works once. */
export function firstVisit(inviteURL: string): string {
  const url = new URL(inviteURL)
  url.search = '?to=/password'
  return url.href
}
