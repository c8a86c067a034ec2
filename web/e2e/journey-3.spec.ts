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

test('journey 3: a reload and the back button in the lobby keep the knock and its place', async () => {
  const before = await knock();
  await guest.page.reload();
  await guest.expectHeading(`${host.name} knows you are here`);
  await guest.page.goBack();
  await guest.page.goForward();
  await guest.expectHeading(`${host.name} knows you are here`);
  expect(await knock()).toEqual(before);
  await admitted();
});

test('journey 3: the back button closes a panel, then asks; a reload in the call leads back into the call', async () => {
  await admitted();
  const before = await knock();
  await guest.openPanel('chat');
  await guest.page.goBack();
  await expect(guest.page.getByRole('complementary')).toHaveCount(0);
  await guest.page.goBack();
  const question = guest.page.getByRole('alertdialog', { name: 'Leave the meeting?' });
  await expect(question).toBeVisible();
  await guest.page.goBack();
  await expect(question).toHaveCount(0);
  await guest.expectInCall();
  // Another network: the connection is opened anew without waiting for it to fail.
  await guest.page.evaluate(() => {
    dispatchEvent(new Event('offline'));
    dispatchEvent(new Event('online'));
  });
  await expect(guest.page.getByText('You are back.')).toBeAttached();
  await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
  await guest.page.reload();
  await guest.expectInCall();
  await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
  await Promise.all([expectVoice(host.page), expectVoice(guest.page)]);
  expect(await knock()).toEqual(before);
});

test('journey 3: the server is killed while a guest waits', async () => {
  // With the page that waits in the browser: without it, it says so and asks to be loaded anew.
  await guest.expectHeading(`${host.name} knows you are here`);
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

test('journey 3: the server is killed during the call, and nothing that was written is lost', async () => {
  await admitted();
  const before = await knock();
  await guest.openPanel('chat');
  await server.crash();
  const away = guest.page.getByRole('group', { name: 'Connection lost' });
  await expect(away.getByRole('button', { name: 'Try now' })).toBeVisible();
  await expect(away.getByText(/^(Next try in \d+ s|Trying now…)$/)).toBeVisible();
  const field = guest.page.getByRole('textbox', { name: guest.words.message });
  await field.fill('Written meanwhile.');
  await field.press('Enter');
  await expect(guest.page.getByRole('log').getByText('Will be sent once you are back.')).toBeVisible();
  await field.fill('Half a sen');
  const told = expect(guest.page.getByText('You are back.')).toBeAttached({ timeout: 90_000 });
  await server.restart();
  await Promise.all([told, expectPicture(host.page, 'GUEST', 90_000), expectPicture(guest.page, 'HOST', 90_000)]);
  await Promise.all([expectVoice(host.page), expectVoice(guest.page)]);
  expect(await knock()).toEqual(before);
  await expect(guest.page.getByRole('log').getByText('Will be sent once you are back.')).toHaveCount(0);
  // What a reload shows is what the server has: once, in its place.
  await guest.page.reload();
  await guest.expectInCall();
  await guest.expectMessage('Written meanwhile.');
  await expect(field).toHaveValue('Half a sen');
});
