// Guests without a browser: a shared link whose code a test knows, and knocks by the API.

import { createHash, randomBytes } from 'node:crypto';
import { expect } from '@playwright/test';
import { call } from './api.ts';
import type { Host } from './people.ts';
import type { Server } from './server.ts';

export interface SharedLink { id: string; code: string }

/** A shared link of the host's meeting. */
export async function sharedLink(host: Host): Promise<SharedLink> {
  const code = randomBytes(32);
  const draft = { kind: 'shared', label: 'Observateurs', expires_at: new Date(Date.now() + 86_400_000).toISOString(), code_hash: createHash('sha256').update(code).digest('base64url') };
  const made = await host.page.evaluate(async ([path, body]) => (await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).json() as Promise<{ id: string }>, [`/api/v1/meetings/${host.meeting}/links`, JSON.stringify(draft)] as const);
  return { id: made.id, code: code.toString('base64url') };
}

/** Knocks as somebody; gives the lobby session. */
export async function knockBy(server: Server, link: SharedLink, name: string, organisation = ''): Promise<string> {
  const { body } = await call(server.url, 'POST', '/guest/redeem', {}, { link_id: link.id, code: link.code });
  const session = String(body['session']);
  const answer = await call(server.url, 'POST', '/guest/knock', { session }, { name, ...(organisation ? { organisation } : {}) });
  expect(answer.status, answer.text).toBe(200);
  return session;
}
