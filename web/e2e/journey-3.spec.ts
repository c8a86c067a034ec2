// Journey 3, first half: whoever reloads, or whose server was killed, is back where they were without a new knock.

import { expect, test } from '@playwright/test';
import { expectPicture, expectVoice } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

interface Knock {
  id: string;
  status: string;
  since: string;
}

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive();
  await host.signIn(server);
  await host.createMeeting('Suivi');
  const link = await host.invite('Maria Oliveira');
  await host.enter();
  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await host.expectKnock('Maria Oliveira');
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

/** The one knock of the meeting, as the server has it. */
async function knock(): Promise<Knock> {
  const { knocks } = await host.ask<{ knocks: Knock[] }>(`/meetings/${host.meeting}/knocks`);
  expect(knocks).toHaveLength(1);
  return knocks[0] as Knock;
}

async function admitted(): Promise<void> {
  await host.admit('Maria Oliveira');
  await guest.expectInCall();
  await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
}

test('journey 3: a reload in the lobby keeps the knock and its place', async () => {
  const before = await knock();
  await guest.page.reload();
  await guest.expectHeading(`${host.name} knows you are here`);
  expect(await knock()).toEqual(before);
  await admitted();
});

test('journey 3: a reload in the call leads back into the call', async () => {
  await admitted();
  const before = await knock();
  await guest.page.reload();
  await guest.expectInCall();
  await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
  await Promise.all([expectVoice(host.page), expectVoice(guest.page)]);
  expect(await knock()).toEqual(before);
});

test('journey 3: the server is killed while a guest waits', async () => {
  const before = await knock();
  await server.crash();
  await expect(guest.page.getByText('Connection lost. We are trying again; your place is kept.')).toBeVisible();
  await server.restart();
  await expect(guest.page.getByText('Connected. Your place is kept.')).toBeVisible({ timeout: 60_000 });
  expect(await knock()).toEqual(before);
  await host.expectKnock('Maria Oliveira');
  await guest.expectHeading(`${host.name} knows you are here`);
  await admitted();
});

test('journey 3: the server is killed during the call', async () => {
  await admitted();
  const before = await knock();
  await server.crashAndRestart();
  await Promise.all([expectPicture(host.page, 'GUEST', 90_000), expectPicture(guest.page, 'HOST', 90_000)]);
  await Promise.all([expectVoice(host.page), expectVoice(guest.page)]);
  expect(await knock()).toEqual(before);
});
