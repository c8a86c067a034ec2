// Who is there and what they see: told when it matters, and not again.

import { expect, test } from '@playwright/test';
import { findings } from './support/axe.ts';
import { expectCode } from './support/media.ts';
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

test('a host who is about to share is told which guests will see it, once', async () => {
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Maria Oliveira');
  await host.enter();
  const { page } = host;
  const question = page.getByRole('alertdialog', { name: /invité extérieur verra ce que vous partagez/ });

  await test.step('alone there is nobody to be told of', async () => {
    await host.shareScreen();
    await expect(question).toBeHidden();
    await host.stopSharing();
  });

  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await host.expectKnock('Maria Oliveira');
  await host.admit('Maria Oliveira');
  await expect(page.getByText('1 invité extérieur', { exact: true })).toBeVisible();

  await test.step('with a guest the question comes first, and "cancel" shares nothing', async () => {
    await page.getByRole('button', { name: host.words.share, exact: true }).click();
    await expect(question).toBeVisible();
    await expect(question.getByText('Maria Oliveira')).toBeVisible();
    expect(await findings(page)).toEqual([]);
    await question.getByRole('button', { name: 'Annuler' }).click();
    await expect(question).toBeHidden();
    await expect(page.getByRole('button', { name: host.words.sharing })).toBeHidden();
  });

  await test.step('from the keyboard: the question leads to the browser’s chooser', async () => {
    await page.getByRole('button', { name: host.words.share, exact: true }).press('Enter');
    await question.getByRole('button', { name: 'Choisir quoi partager' }).press('Enter');
    await expect(page.getByRole('button', { name: host.words.sharing })).toBeVisible();
    await expect(guest.page.getByTestId('live-polite')).toContainText('is sharing their screen.', { timeout: 15_000 });
    await host.stopSharing();
  });

  await test.step('the same guest is not a question again', async () => {
    await host.shareScreen();
    await expectCode(guest.page, 'OTHER');
    await expect(question).toBeHidden();
  });
});
