// What somebody without an admission can try by hand, and what the server must answer to each try.

import { expect } from '@playwright/test';
import { call, forge, socketStatus, validate } from './api.ts';

const jwt = /eyJ[\w-]{8,}\.eyJ/;

export interface Attempt {
  server: string;
  meeting: string;
  /** The guest's lobby session. */
  session: string;
  /** Identity of somebody who is in. */
  hostIdentity: string;
}

/** Tries every way to the meeting that a lobby session or a forger has, and expects each to be refused. */
export async function expectNoWayIn({ server, meeting, session, hostIdentity }: Attempt): Promise<void> {
  const token = await call(server, 'POST', '/guest/token', { session });
  expect([403, 409], `a media token without an admission: ${token.text}`).toContain(token.status);
  expect(token.text).not.toMatch(jwt);

  for (const [method, path] of [
    ['GET', '/meetings'],
    ['GET', `/meetings/${meeting}`],
    ['GET', `/meetings/${meeting}/links`],
    ['GET', `/meetings/${meeting}/knocks`],
    ['POST', `/meetings/${meeting}/join`],
    ['POST', `/meetings/${meeting}/knocks/admit-all`],
    ['POST', `/meetings/${meeting}/end`],
  ] as const) {
    for (const as of [{ session }, { cookie: `aparte=${session}` }, {}]) {
      const answer = await call(server, method, path, as, method === 'POST' ? {} : undefined);
      expect(answer.status, `${method} ${path} as ${Object.keys(as)[0] ?? 'nobody'}: ${answer.text}`).toBe(401);
    }
  }

  const claims = { room: meeting, identity: hostIdentity };
  const tokens = {
    'the lobby session': session,
    'a token signed with a guessed secret': forge({ ...claims, iss: 'devkey' }, 'guessed'),
    'a token that names the internal key': forge({ ...claims, iss: 'aparte' }, 'secret'),
    'a token signed with nothing': forge({ ...claims, iss: 'aparte' }, ''),
    'a token that says it needs no signature': forge({ ...claims, iss: 'devkey', alg: 'none' }, ''),
    'no token': '',
  };
  for (const [what, token] of Object.entries(tokens)) {
    expect((await validate(server, token)).status, `/rtc/validate with ${what}`).toBe(401);
    const query = `access_token=${encodeURIComponent(token)}&protocol=16&auto_subscribe=1`;
    expect(await socketStatus(`${server}/rtc?${query}`), `/rtc with ${what}`).toBe(401);
  }

  // The hosts' socket, which carries every knock and the list of who is in.
  const hostSocket = `${server}/api/v1/meetings/${meeting}/host`;
  expect(await socketStatus(hostSocket, { origin: server }), 'the host socket without a cookie').toBe(401);
  expect(await socketStatus(hostSocket, { origin: server, cookie: `aparte=${session}` }), 'the host socket with a lobby session').toBe(401);
  // The lobby's socket is for our own pages.
  expect(await socketStatus(`${server}/api/v1/guest/lobby`, { origin: 'https://elsewhere.example' }), 'the lobby socket from a foreign page').toBe(403);
  expect(await socketStatus(`${server}/api/v1/guest/lobby`), 'the lobby socket from nowhere').toBe(403);
}
