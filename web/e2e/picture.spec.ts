// The README's picture: a real call between two browsers, whose cameras show drawn people.

import path from 'node:path';
import { chromium, expect, test } from '@playwright/test';
import { executable } from './support/browser.ts';
import { expectVoice } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { portrait } from './support/portraits.ts';
import { Server } from './support/server.ts';

test('a call, for the README', { tag: '@picture' }, async () => {
  const studio = await chromium.launch({ executablePath: executable });
  const films = { agent: await portrait('agent', studio), guest: await portrait('guest', studio) };
  await studio.close();
  const server = await Server.start();
  const host = await Host.arrive({ film: films.agent, language: 'en', context: { viewport: { width: 1280, height: 720 } } });
  const guest = await Guest.arrive({ film: films.guest });
  const late = await Guest.arrive({ side: 'OTHER' });
  try {
    await host.signIn(server);
    await host.createMeeting('Consular cooperation');
    const link = await host.invite('Rui Nogueira');
    const lateLink = await host.invite('Maria Oliveira');
    await host.enter();
    await guest.open(link);
    await guest.knock('Rui Nogueira');
    await host.admit('Rui Nogueira');
    await guest.expectInCall();
    await expectVoice(host.page);
    await late.open(lateLink);
    await late.knock('Maria Oliveira');
    await host.expectKnock('Maria Oliveira');
    // Both pictures in their best layer.
    await expect.poll(() => host.page.evaluate(() => [...document.querySelectorAll('video')].map((video) => video.videoWidth)), { timeout: 60_000 }).toEqual([1280, 1280]);
    await host.page.screenshot({ path: path.join(import.meta.dirname, '../../docs/images/call.png') });
  } finally {
    await host.leave();
    await guest.leave();
    await late.leave();
    await server.stop();
  }
});
