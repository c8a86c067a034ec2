// The calls a guest makes, known by the session token that redeeming the link gave.
import { request } from './http'
import type { GuestView, Knocking, MediaGrant, ReturnProof } from './types'

export const redeem = (linkID: string, code: string, proof?: ReturnProof) =>
  request<{ session: string; guest: GuestView }>('POST', '/guest/redeem', { body: { link_id: linkID, code, ...(proof ? { proof } : {}) } })
/** What a browser signs that comes back by a link. */
export const challenge = (linkID: string, code: string) => request<{ challenge: string }>('POST', '/guest/challenge', { body: { link_id: linkID, code } }).then((answer) => answer.challenge)
export const view = (bearer: string) => request<GuestView>('GET', '/guest', { bearer })
export const knock = (bearer: string, body: Knocking) => request<GuestView>('POST', '/guest/knock', { bearer, body })
export const withdraw = (bearer: string) => request<GuestView>('POST', '/guest/withdraw', { bearer })
/** Answers the hosts, once one has written. */
export const reply = (bearer: string, text: string) => request<GuestView>('POST', '/guest/messages', { bearer, body: { text } })
export const mediaToken = (bearer: string) => request<MediaGrant>('POST', '/guest/token', { bearer })
