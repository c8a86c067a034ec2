// What a laptop shows at 400 %: the call with each panel and each dialog, and the pages around it.

import { expect, test } from '@playwright/test';
import { knockBy, sharedLink } from './support/links.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectWhole, zoomed } from './support/zoom.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive({ language: 'fr' });
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await server?.stop();
});

const names = ['Maria Oliveira', 'Inês Duarte', 'Karim Haddad', 'Аnna Petrova', 'Luc Martin', 'Noa Levi', 'Paul Nguyen', 'Samira Haddad', 'Jean d’Ormesson', 'Mihai Ionescu', 'Li Lei', 'Ana Costa'];

test('at 400 %, the call and what is around it lose nothing', async () => {
  const { page } = host;
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Maria Oliveira');
  const shared = await sharedLink(host);
  const small = () => page.setViewportSize(zoomed);
  const dialog = page.getByRole('dialog');
  const closed = async () => {
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
  };
  const panel = page.getByRole('complementary');
  const more = async (entry: string) => {
    await page.getByRole('button', { name: 'Plus', exact: true }).press('Enter');
    await page.getByRole('menuitem', { name: entry }).press('Enter');
  };

  await test.step('the meeting’s page', async () => {
    await small();
    await page.getByRole('button', { name: 'Inviter une personne' }).press('Enter');
    await expect(dialog).toBeVisible();
    await expectWhole(page, 'invite');
    await closed();
    await expectWhole(page, 'meeting');
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  await host.enter();
  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await host.admit('Maria Oliveira');
  await guest.expectInCall();
  for (const name of names) await knockBy(server, shared, name, 'Ministère des Affaires étrangères');

  await test.step('the panels', async () => {
    await small();
    await expect(page.locator('.knock')).toHaveCount(12);
    await expectWhole(page, 'call-lobby');
    await page.keyboard.press('Escape');
    await expectWhole(page, 'call');
    await more('Présents');
    await expect(panel.getByText('Maria Oliveira')).toBeVisible();
    await expectWhole(page, 'call-people');
    await page.keyboard.press('Escape');
    await guest.say('Bonjour à tous, voici le compte rendu de la réunion précédente.');
    await more('Discussion');
    await expect(panel.getByText(/^Bonjour à tous/)).toBeVisible();
    await expectWhole(page, 'call-chat');
    await page.keyboard.press('Escape');
  });

  await test.step('the menus and dialogs', async () => {
    await page.getByRole('button', { name: 'Plus', exact: true }).press('Enter');
    await expectWhole(page, 'menu-more');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Affichage/ }).press('Enter');
    await expectWhole(page, 'menu-layout');
    await page.keyboard.press('Escape');
    await page.getByTestId('connection').press('Enter');
    await expect(dialog.getByRole('heading', { name: 'Réseau' })).toBeVisible();
    await expectWhole(page, 'connection');
    const back = async (subject: string) => {
      await dialog.getByRole('button', { name: 'Retour à la liste des réglages' }).press('Enter');
      expect(await page.evaluate(() => document.activeElement?.textContent), 'where the way back leads').toBe(subject);
    };
    await back('Réseau');
    await expectWhole(page, 'settings');
    for (const subject of ['Son', 'Image']) {
      await dialog.getByRole('button', { name: subject, exact: true }).press('Enter');
      await expectWhole(page, `settings-${subject}`);
      await back(subject);
    }
    await closed();
    await more('Raccourcis clavier');
    await expect(dialog).toBeVisible();
    await expectWhole(page, 'keys');
    await closed();
    await more('Enregistrement…');
    await expect(dialog).toBeVisible();
    await expectWhole(page, 'recording');
    await dialog.getByLabel(/^À quoi servira/).fill('Compte rendu de la réunion');
    await dialog.getByRole('button', { name: 'Demander à chacun' }).press('Enter');
    await expectWhole(page, 'recording-asked');
  });

  await test.step('the question whether one agrees to be recorded, the chat open', async () => {
    await expect(guest.page.getByTestId('rec-prompt')).toBeVisible();
    await expectWhole(guest.page, 'recording-question-chat');
    await guest.page.keyboard.press('Escape');
    await expectWhole(guest.page, 'recording-question');
  });
});
