// What can stand in a guest's way: each is a page that says what happened and what to do.

import { expect, test } from '@playwright/test';
import { call } from './support/api.ts';
import { findings } from './support/axe.ts';
import type { Devices } from './support/browser.ts';
import { Guest } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let guest: Guest | undefined;

test.beforeAll(async () => {
  server = await Server.start();
});

test.afterAll(async () => {
  await server.stop();
});

test.afterEach(async () => {
  if (!guest) return;
  const found = await findings(guest.page);
  await guest.leave();
  guest = undefined;
  expect(found).toEqual([]);
});

for (const { devices, says, then } of [
  { devices: 'refused', says: 'Your browser blocks the camera or microphone. Here is how to allow them.', then: /icon to the left of the address/ },
  { devices: 'none', says: 'No camera found. You can take part by sound.', then: /No microphone found/ },
  { devices: 'busy', says: 'Another application is using the camera. Close it, then try again.', then: undefined },
] satisfies { devices: Devices; says: string; then: RegExp | undefined }[]) {
  test(`camera ${devices}: the device check says so, and asking to enter goes on`, async () => {
    guest = await Guest.arrive({ devices });
    await guest.open(server.guestURL);
    await guest.knock(`Guest ${devices}`);
    await guest.page.getByRole('button', { name: guest.words.tryDevices }).click();
    const alerts = guest.page.getByRole('alert');
    await expect(alerts.filter({ hasText: says })).toBeVisible();
    if (then) await expect(alerts.filter({ hasText: then }).first()).toBeVisible();
    await expect(guest.page.getByText('Connected. Your place is kept.')).toBeVisible();
  });
}

test('an address without https: the page says why no call can work, and names the right address', async () => {
  // A name that is not this machine, as a colleague's would be; only the loopback is trusted without https.
  guest = await Guest.arrive({ args: ['--host-resolver-rules=MAP meet.example 127.0.0.1'] });
  const url = new URL(server.guestURL);
  url.hostname = 'meet.example';
  await guest.open(url.href);
  await expect(guest.page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(guest.page.getByRole('main')).toContainText(`https://${url.host}`);
  await expect(guest.page.getByRole('button', { name: guest.words.ask })).toHaveCount(0);
});

test('a browser that cannot hold a call: the page says which can', async () => {
  guest = await Guest.arrive();
  await guest.person.context.addInitScript(() => {
    Reflect.deleteProperty(window, 'RTCPeerConnection');
    Reflect.deleteProperty(window, 'webkitRTCPeerConnection');
  });
  await guest.open(server.guestURL);
  await expect(guest.page.getByRole('main')).toContainText(/Firefox/);
  await expect(guest.page.getByRole('button', { name: guest.words.ask })).toHaveCount(0);
});

test('an unknown link and a wrong secret get one and the same page and answer', async () => {
  const real = new URL(server.guestURL);
  const secret = Buffer.alloc(32, 7).toString('base64url');
  const unknown = new URL(`/i/${Buffer.alloc(16, 9).toString('base64url')}#${secret}`, real);
  const wrong = new URL(real);
  wrong.hash = secret;
  const pages: string[] = [];
  for (const url of [unknown, wrong]) {
    guest = await Guest.arrive();
    await guest.open(url.href);
    await guest.expectHeading('This link is no longer valid');
    pages.push(await guest.page.getByRole('main').innerText());
    if (url === unknown) await guest.leave();
  }
  expect(pages[0]).toBe(pages[1]);

  const code = Buffer.alloc(32, 1).toString('base64url');
  const answers = [];
  for (const url of [unknown, wrong]) answers.push(await call(server.url, 'POST', '/guest/redeem', {}, { link_id: url.pathname.slice(3), code }));
  expect(answers[0]?.status).toBe(404);
  expect(answers[0]).toEqual(answers[1]);
});

test('an address that leads nowhere is a page too', async () => {
  guest = await Guest.arrive();
  const response = await guest.page.goto(`${server.url}/nothing/here`);
  expect(response?.status()).toBe(404);
  await expect(guest.page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('a field that is missing is named beside the field', async () => {
  guest = await Guest.arrive();
  await guest.open(server.guestURL);
  const name = guest.page.getByLabel('Your name');
  await name.fill('   ');
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expect(guest.page.getByText('Please write your name, so the host knows who you are.')).toBeVisible();
  await expect(name).toBeFocused();
});
