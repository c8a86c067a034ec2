// One's own picture on a path that becomes narrow: it is made smaller with a word, and comes back by itself; the voice goes on.

import { expect, test, type Page } from '@playwright/test';
import { look } from './support/look.ts';
import { expectPicture, expectVoice } from './support/media.ts';
import { NarrowPath } from './support/narrow.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;
let path: NarrowPath;

test.beforeEach(async () => {
  path = await NarrowPath.open();
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive({ language: 'fr' });
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
  path?.close();
});

/** Which layers of the page's picture are sent, from the smallest. */
const layers = (page: Page) =>
  page.evaluate(() => window.connections.flatMap((one) => one.getSenders()).filter(({ track }) => track?.kind === 'video').map((sender) => sender.getParameters().encodings.map(({ active }) => active)).at(-1));

test('a picture that the path does not carry is made smaller with a word, and comes back', async () => {
  await path.lead(guest.page);
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Maria Oliveira');
  await host.enter();
  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await host.admit('Maria Oliveira');
  await guest.expectInCall();
  await expectPicture(host.page, 'GUEST');
  await expect.poll(() => layers(guest.page)).toEqual([true, true]);
  const said = guest.page.getByTestId('stepped-down');
  await expect(said).toHaveCount(0);

  await test.step('narrow: the upper layer is not sent any more, and the person is told', async () => {
    path.carry(200_000);
    await expect(said).toContainText('Votre image est réduite', { timeout: 60_000 });
    await expect.poll(() => layers(guest.page)).toEqual([true, false]);
    await expect(said.getByRole('button', { name: 'Garder l’image' })).toBeVisible();
    await expectVoice(host.page);
    const word = guest.page.getByTestId('connection');
    await expect(word).toHaveText('Connexion faible');
    await word.click();
    await expect(guest.page.getByTestId('connection-details').getByRole('status')).toContainText('Votre connexion est faible.');
    await guest.page.getByRole('button', { name: 'Fermer' }).click();
    await expect(word).toBeFocused();
    await look(guest.page, 'stepped-down');
  });

  await test.step('wide again: all of it comes back by itself', async () => {
    path.carry(null);
    await expect(said).toHaveCount(0, { timeout: 90_000 });
    await expect.poll(() => layers(guest.page)).toEqual([true, true]);
    await expect(guest.page.getByTestId('connection')).not.toHaveText('Connexion faible', { timeout: 90_000 }); // as the server tells it
    await expectPicture(host.page, 'GUEST');
  });

  await test.step('the camera is unplugged: which one, and what follows from it', async () => {
    await guest.page.evaluate(unplugCamera);
    const gone = guest.page.getByTestId('unplugged');
    await expect(gone).toContainText('n’est plus branchée. Votre image est éteinte.');
    await expect(guest.page.getByRole('navigation').getByRole('button', { name: /^Caméra éteinte/ })).toBeVisible();
    await look(guest.page, 'unplugged');
    await gone.getByRole('button', { name: 'Choisir une caméra' }).click();
    await expect(guest.page.getByRole('dialog').getByRole('tab', { name: 'Image', selected: true })).toBeVisible();
    await guest.page.keyboard.press('Escape');
    await gone.getByRole('button', { name: 'Fermer' }).click();
    await expect(gone).toHaveCount(0);
  });
});

/** Runs in the page: what a browser does when somebody pulls the camera's plug. Chromium's false ones have none. */
function unplugCamera(): void {
  const { mediaDevices } = navigator;
  const [list, open] = [mediaDevices.enumerateDevices.bind(mediaDevices), mediaDevices.getUserMedia.bind(mediaDevices)];
  mediaDevices.enumerateDevices = async () => (await list()).filter(({ kind }) => kind !== 'videoinput');
  mediaDevices.getUserMedia = (wish) => (wish?.video ? Promise.reject(new DOMException('Requested device not found', 'NotFoundError')) : open(wish));
  for (const { track } of window.connections.flatMap((one) => one.getSenders())) {
    if (track?.kind !== 'video') continue;
    track.stop();
    track.dispatchEvent(new Event('ended'));
  }
  mediaDevices.dispatchEvent(new Event('devicechange'));
}
