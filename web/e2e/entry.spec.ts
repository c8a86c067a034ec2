// A guest opens a personal link and begins to type at once: before the scripts are there, before the invitation is.

import { expect, test } from '@playwright/test';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;
let link: string;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive();
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  link = await host.invite('Maria Oliveira');
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

/** Holds back what matches until the function that comes back is called. */
async function held(pattern: string): Promise<() => void> {
  let arrive = (): void => undefined;
  const here = new Promise<void>((resolve) => (arrive = resolve));
  await guest.page.route(pattern, async (route) => {
    await here;
    await route.continue().catch(() => undefined);
  });
  return arrive;
}

test('who types while scripts and invitation are on their way loses no letter and gets none twice', async () => {
  const scripts = await held('**/assets/*.js');
  const invitation = await held('**/guest/redeem');
  await guest.page.goto(link, { waitUntil: 'commit' });
  const name = guest.page.locator('#guest-name');
  await name.click();
  await guest.page.keyboard.type('Maria da ', { delay: 70 });
  scripts();
  await guest.page.keyboard.type('Conceição ', { delay: 70 });
  invitation();
  await guest.page.keyboard.type('Oliveira Mendes', { delay: 70 });
  await expect(guest.page.getByRole('button', { name: guest.words.ask })).toBeEnabled();
  await expect(name).toHaveValue('Maria da Conceição Oliveira Mendes');
});

test('who stands in the field when the name comes types over it', async () => {
  const invitation = await held('**/guest/redeem');
  await guest.page.goto(link);
  const name = guest.page.locator('#guest-name');
  await name.click();
  invitation();
  await expect(name).toHaveValue('Maria Oliveira');
  await guest.page.keyboard.type('Maria O.');
  await expect(name).toHaveValue('Maria O.');
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await host.enter();
  await host.expectKnock('Maria O.');
});

test('what no script would notice yet cannot be pressed', async () => {
  const scripts = await held('**/assets/*.js');
  await guest.page.goto(link, { waitUntil: 'commit' });
  const camera = guest.page.getByRole('switch', { name: guest.words.camera });
  await expect(camera).toBeDisabled();
  await expect(guest.page.locator('#guest-name')).toBeEditable();
  scripts();
  await guest.wantCamera();
});
