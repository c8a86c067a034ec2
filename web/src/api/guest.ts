// The calls a guest makes, known by the session token that redeeming the link gave.
import { request } from './http'
import type { GuestView, MediaGrant } from './types'

export const redeem = (linkID: string, code: string) => request<{ session: string; guest: GuestView }>('POST', '/guest/redeem', { body: { link_id: linkID, code } })
export const view = (bearer: string) => request<GuestView>('GET', '/guest', { bearer })
export const knock = (bearer: string, name: string, organisation: string) =>
  request<GuestView>('POST', '/guest/knock', { bearer, body: organisation ? { name, organisation } : { name } })
export const withdraw = (bearer: string) => request<GuestView>('POST', '/guest/withdraw', { bearer })
export const mediaToken = (bearer: string) => request<MediaGrant>('POST', '/guest/token', { bearer })
