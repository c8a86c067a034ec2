// A picture for which one's own path is too narrow: the tile says so, and the sound goes on.
//
// The server's decision is tested where it is made (sfu/adapttest); here its words are put between its others, on
// the way to the page, because loopback is never narrow.

import { mkdir } from 'node:fs/promises';
import { expect, test, type WebSocketRoute } from '@playwright/test';
import { expectPicture, expectVoice } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive();
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

/** SignalResponse{stream_state_update: 13} with one StreamStateInfo, in protobuf's encoding. */
function streamState(participant: string, track: string, paused: boolean): Buffer {
  const field = (number: number, bytes: Buffer) => Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
  const info = Buffer.concat([field(1, Buffer.from(participant)), field(2, Buffer.from(track)), Buffer.from([3 << 3, paused ? 1 : 0])]);
  return field(13, field(1, info));
}

test('a picture held back says so, and comes again', async () => {
  let line: WebSocketRoute | undefined;
  let heard = '';
  await host.person.context.routeWebSocket(/\/rtc/, (page) => {
    line = page;
    const real = page.connectToServer();
    page.onMessage((message) => real.send(message));
    real.onMessage((message) => {
      heard += Buffer.from(message as Buffer).toString('latin1');
      page.send(message);
    });
  });
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Maria Oliveira');
  await host.enter();
  await guest.open(link);
  await guest.wantCamera();
  await guest.knock('Maria Oliveira');
  await host.admit('Maria Oliveira');
  await guest.expectInCall();
  await expectPicture(host.page, 'GUEST');

  const [, participant, track] = /(PA_\w+)\|(TR_VC\w+)/.exec(heard) ?? [];
  if (!participant || !track || !line) throw new Error('the guest’s picture was not announced on the signal');
  const tile = host.page.locator('.tile', { hasText: 'Maria Oliveira' });
  const said = tile.getByText('image en pause');
  await expect(said).toHaveCount(0);

  line.send(streamState(participant, track, true));
  await expect(said).toBeVisible();
  await expect(tile.locator('.avatar')).toBeVisible();
  await expect(host.page.getByText('Connexion faible : nous gardons le son et réduisons l’image.')).toBeVisible();
  await expect(host.page.getByTestId('connection')).toHaveText('Connexion faible');
  await expectVoice(host.page);
  await mkdir('test-results/held', { recursive: true });
  for (const [window, width, height] of [['laptop', 1280, 800], ['phone', 390, 844]] as const) {
    await host.page.setViewportSize({ width, height });
    await expect(said).toBeVisible();
    const name = await tile.locator('.name').evaluate((element) => ({ seen: element.clientWidth, whole: element.scrollWidth }));
    expect(name.seen, 'what is seen of the name').toBe(name.whole);
    await host.page.screenshot({ path: `test-results/held/${window}.png` });
  }

  line.send(streamState(participant, track, false));
  await expect(said).toHaveCount(0);
  await expectPicture(host.page, 'GUEST');
});
