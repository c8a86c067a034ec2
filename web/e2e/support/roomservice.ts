// LiveKit's server API, as a program with the API key calls it.

import { createHmac } from 'node:crypto';
import type { Server } from './server.ts';

/** Calls a method of RoomService with the rights of a room's administrator, and expects it to work. */
export async function roomService(server: Server, room: string, method: string, body: Record<string, unknown>): Promise<unknown> {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'devkey', nbf: now - 5, exp: now + 60, video: { roomAdmin: true, roomCreate: true, room } };
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  const answer = await fetch(`${server.url}/twirp/livekit.RoomService/${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${head}.${createHmac('sha256', 'secret').update(head).digest('base64url')}` },
    body: JSON.stringify({ room, ...body }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
