// The network test: a guest who waits looks at the way to the server, with real media, and gets nothing of the meeting by it.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from '@playwright/test';
import { look } from './support/look.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  // A port that is free now, and most probably stays so.
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  server = await Server.start(['127.0.0.1'], '--turn-udp-port', `${port}`);
  host = await Host.arrive();
  guest = await Guest.arrive({ language: 'fr' });
  await host.signIn(server);
  await host.createMeeting('Entretien');
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

/** Runs in the page: candidates of the server that the network does not let through are not there. */
function block(protocols: string[]): void {
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(config?: RTCConfiguration) {
      super(protocols.includes('relay') ? { ...config, iceServers: [] } : config);
    }
    override setConfiguration(config?: RTCConfiguration): void {
      super.setConfiguration(protocols.includes('relay') ? { ...config, iceServers: [] } : config);
    }
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const lines = description.sdp?.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || !protocols.includes(line.split(' ')[2] ?? ''));
      return super.setRemoteDescription({ ...description, ...(lines && { sdp: lines.join('\r\n') }) });
    }
  };
}

async function waits(): Promise<void> {
  const link = await host.invite('Maria Oliveira');
  await host.enter();
  await guest.open(link);
  await guest.page.getByLabel(guest.words.yourName).fill('Maria Oliveira');
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await host.expectKnock('Maria Oliveira');
}

const shown = () => guest.page.getByTestId('network');

async function check(): Promise<void> {
  await shown().getByRole('button', { name: /^Tester/ }).click();
  await expect(shown().getByRole('button', { name: 'Tester à nouveau ma connexion' })).toBeVisible({ timeout: 60_000 });
  await shown().getByText('Détails pour l’assistance').click();
}

const row = (name: string) => shown().locator('dl > div').filter({ has: guest.page.getByRole('term').getByText(name, { exact: true }) }).locator('dd');

test('a guest who waits learns that picture and sound will pass, and by which ways', async () => {
  await waits();
  await check();
  await expect(shown().getByRole('status')).toHaveText(/^Votre connexion convient (à l’image et au son\.|au son)/);
  await expect(row('Chemin pris')).toHaveText('Direct (UDP)');
  for (const way of ['Direct (UDP)', 'Par TCP', 'Par le relais (TURN)']) await expect(row(way)).toHaveText('passe');
  await expect(row('Débit montant')).toHaveText(/[1-9].* Mbit\/s$/);
  await look(guest.page, 'network-good');

  await test.step('the room is gone, and nobody in the meeting has noticed', async () => {
    await host.openPanel('people');
    await expect(host.page.getByRole('complementary').getByText('Maria Oliveira')).toHaveCount(0);
    await expect(guest.page.getByRole('heading', { level: 1 })).toHaveText(/sait que vous êtes là/);
  });

  await test.step('let in, the guest is in the call as ever', async () => {
    await host.admit('Maria Oliveira');
    await guest.expectInCall();
  });
});

test('where UDP does not pass the test says so, and goes by TCP', async () => {
  await guest.page.addInitScript(block, ['udp', 'relay']);
  await waits();
  await check();
  await expect(shown().getByText('Votre réseau bloque le chemin direct.')).toBeVisible();
  await expect(row('Chemin pris')).toHaveText('Par TCP');
  for (const [way, passage] of [['Direct (UDP)', 'bloqué'], ['Par TCP', 'passe'], ['Par le relais (TURN)', 'bloqué']] as const) await expect(row(way)).toHaveText(passage);
});

test('where nothing passes the test says that, and who waits keeps the place', async () => {
  await guest.page.addInitScript(block, ['udp', 'tcp', 'relay']);
  await waits();
  await check();
  await expect(shown().getByRole('status')).toHaveText('La connexion au service de réunion est bloquée. Essayez un autre réseau.');
  await look(guest.page, 'network-none');
  await expect(guest.page.getByRole('heading', { level: 1 })).toHaveText(/sait que vous êtes là/);
});
