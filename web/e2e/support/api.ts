// The API as somebody with curl would use it: what the server answers when no page of ours asks.

import { createHmac, randomBytes } from 'node:crypto';
import { request } from 'node:http';

export interface Answer {
  status: number;
  text: string;
  body: Record<string, unknown>;
}

/** Calls /api/v1 with a guest's lobby session, an agent's cookie, or nothing. */
export async function call(server: string, method: 'GET' | 'POST', path: string, as: { session?: string; cookie?: string } = {}, body?: unknown): Promise<Answer> {
  const headers: Record<string, string> = { origin: server };
  if (as.session) headers['authorization'] = `Bearer ${as.session}`;
  if (as.cookie) headers['cookie'] = as.cookie;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const response = await fetch(`${server}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = {};
  }
  return { status: response.status, text, body: parsed as Record<string, unknown> };
}

/** What the media signalling says of a token: the check that every join makes. */
export async function validate(server: string, token: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server}/rtc/validate?access_token=${encodeURIComponent(token)}`);
  return { status: response.status, text: await response.text() };
}

/** A token with a room and an identity, signed with whatever a forger has. */
export function forge(claims: { room: string; identity: string; iss: string; alg?: 'HS256' | 'none' }, secret: string): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const alg = claims.alg ?? 'HS256';
  const head = `${part({ alg, typ: 'JWT' })}.${part({ iss: claims.iss, sub: claims.identity, jti: claims.identity, nbf: now - 5, exp: now + 600, video: { roomJoin: true, room: claims.room } })}`;
  return `${head}.${alg === 'none' ? '' : createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/**
 * Asks for a WebSocket by hand and says what the server answered: 101 when it
 * opened one. Headers that a browser would not let a page set, such as Origin
 * and Cookie, can be given.
 */
export async function socketStatus(url: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asking = request(url, {
      headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': randomBytes(16).toString('base64'), ...headers },
    });
    asking.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    asking.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asking.on('error', reject);
    asking.end();
  });
}
