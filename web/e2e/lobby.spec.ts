// The lobby with people in it: twelve handled by keyboard alone, words both ways, back to the lobby and in again, a ban,
// and a host who is told elsewhere.

import { expect, test } from '@playwright/test';
import { call, validate } from './support/api.ts';
import { knockBy, sharedLink } from './support/links.ts';
import { expectPicture } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { look } from './support/look.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;

const status = async (session: string) => (await call(server.url, 'GET', '/guest', { session })).body['status'];
const row = (name: string) => host.page.locator('.knock').filter({ has: host.page.getByRole('heading', { name, exact: true }) });

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
});

test.afterEach(async () => {
  await host?.leave();
  await server?.stop();
});

test('twelve who wait are handled by keyboard alone', async () => {
  test.setTimeout(400_000);
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await sharedLink(host);
  await host.enter();
  const names = ['Maria Oliveira', 'Inês Duarte', 'Karim Haddad', 'Аnna Petrova', 'Luc Martin', 'Noa Levi', 'Paul Nguyen', 'Samira Haddad', 'Jean d’Ormesson', 'Mihai Ionescu', 'Li Lei', 'Ana Costa'];
  const sessions = new Map<string, string>();
  for (const name of names) sessions.set(name, await knockBy(server, link, name, name === 'Maria Oliveira' ? 'Ministère des Affaires étrangères' : ''));
  const { page } = host;
  await page.keyboard.press('l');
  await expect(page.locator('.knock')).toHaveCount(12);
  await look(page, 'lobby-twelve');

  await test.step('one stop in the order of tabs, arrows between rows', async () => {
    await row('Maria Oliveira').focus();
    await page.keyboard.press('ArrowDown');
    await expect(row('Inês Duarte')).toBeFocused();
    await page.keyboard.press('End');
    await expect(row('Ana Costa')).toBeFocused();
    await page.keyboard.press('Home');
    await expect(row('Maria Oliveira')).toBeFocused();
    expect(await page.locator('.knock[tabindex="0"]').count()).toBe(1);
  });

  await test.step('A lets in and goes on to the next', async () => {
    await page.keyboard.press('a');
    await expect(row('Maria Oliveira')).toHaveCount(0);
    await expect(row('Inês Duarte')).toBeFocused();
    expect(await status(sessions.get('Maria Oliveira') ?? '')).toBe('admitted');
  });

  await test.step('R refuses and can be taken back for eight seconds', async () => {
    await page.keyboard.press('r');
    await expect(row('Karim Haddad')).toBeFocused();
    await page.keyboard.press('r');
    await page.getByRole('list', { name: 'Refus que vous pouvez annuler' }).getByRole('button', { name: /Karim Haddad/ }).press('Enter');
    await expect(row('Karim Haddad')).toBeFocused();
    await expect.poll(() => status(sessions.get('Inês Duarte') ?? ''), { timeout: 20_000 }).toBe('denied');
    expect(await status(sessions.get('Karim Haddad') ?? '')).toBe('waiting');
  });

  await test.step('the letters do nothing in a field', async () => {
    const search = page.getByRole('searchbox');
    await search.focus();
    await page.keyboard.type('kar');
    await expect(page.locator('.knock')).toHaveCount(1);
    await search.fill('');
    await expect(page.locator('.knock')).toHaveCount(10);
  });

  await test.step('the others in at once; a doubtful name stays, and the button says who', async () => {
    await expect(page.getByText('Аnna Petrova reste en attente')).toBeVisible();
    await page.getByRole('button', { name: 'Faire entrer les 9 autres' }).press('Enter');
    await expect(page.locator('.knock')).toHaveCount(1);
    await expect(row('Аnna Petrova')).toBeVisible();
  });
});

test('words both ways, in with fewer rights, back to the lobby and in again, out for good', async () => {
  test.setTimeout(400_000);
  await host.signIn(server);
  await host.createMeeting('Audition');
  const link = await host.invite('Karim Haddad');
  const guest = await Guest.arrive({ language: 'fr' });
  try {
    await words(link, guest);
  } finally {
    await guest.leave();
  }
});

async function words(link: string, guest: Guest): Promise<void> {

  await test.step('a host who is elsewhere is told, and it goes away when handled', async () => {
    await guest.open(link);
    await guest.knock('Karim Haddad');
    await guest.expectHeading('Aucun hôte n’est encore arrivé');
    await host.page.goto(`${server.url}/meetings/new`);
    const banner = host.page.getByRole('complementary', { name: 'Personnes en attente' });
    await expect(banner).toContainText(/1 personne attend\s: Audition/);
    await expect(host.page).toHaveTitle(/^1 en attente\s: /);
    await look(host.page, 'notice-banner');
    await guest.page.getByRole('button', { name: 'Quitter la salle d’attente' }).click();
    await expect(banner).toHaveCount(0);
    await guest.page.getByRole('button', { name: 'Demander à entrer' }).click();
    await expect(banner).toBeVisible();
  });

  await host.page.goto(`${server.url}/meetings/${host.meeting}`);
  await host.enter();
  await host.openPanel('lobby');

  await test.step('the host writes, the guest answers, and both survive a reload', async () => {
    await guest.expectHeading(`${host.name} sait que vous êtes là`);
    await row('Karim Haddad').getByRole('button', { name: 'Actions pour Karim Haddad' }).click();
    await host.page.getByRole('menuitem', { name: 'Écrire un message' }).click();
    await host.page.getByRole('textbox', { name: 'Écrire à Karim Haddad' }).fill('Deux minutes, <b>merci</b>.');
    await host.page.keyboard.press('Enter');
    await expect(guest.page.getByRole('log').getByText('Deux minutes, <b>merci</b>.')).toBeVisible();
    await guest.page.getByRole('textbox', { name: 'Répondre aux hôtes' }).fill('Prenez votre temps.');
    await guest.page.keyboard.press('Enter');
    await expect(host.page.getByRole('log').getByText('Prenez votre temps.')).toBeVisible();
    await guest.page.getByRole('textbox', { name: 'Répondre aux hôtes' }).fill('Encore une qu');
    await guest.page.reload();
    await expect(guest.page.getByText('Prenez votre temps.')).toBeVisible();
    await expect(guest.page.getByRole('textbox', { name: 'Répondre aux hôtes' })).toHaveValue('Encore une qu');
    await look(guest.page, 'waiting-messages');
    await look(host.page, 'lobby-thread');
  });

  await test.step('in without a camera: the token says so', async () => {
    await host.page.keyboard.press('Escape');
    await row('Karim Haddad').getByRole('button', { name: 'Actions pour Karim Haddad' }).click();
    await host.page.getByRole('menuitem', { name: 'Faire entrer avec moins de droits' }).click();
    const dialog = host.page.getByRole('dialog');
    await dialog.getByRole('switch', { name: /^Caméra/ }).click();
    await look(host.page, 'rights');
    await dialog.getByRole('button', { name: 'Faire entrer' }).click();
    await guest.expectInCall();
    await expect(guest.page.getByRole('button', { name: /Caméra fermée|La caméra n’est pas autorisée|Caméra/ }).first()).toHaveAttribute('aria-disabled', 'true');
  });

  await test.step('a right given back works at once', async () => {
    await host.openPanel('people');
    await host.page.getByRole('button', { name: 'Actions pour Karim Haddad' }).click();
    await host.page.getByRole('menuitem', { name: 'Changer les droits' }).click();
    await host.page.getByRole('dialog').getByRole('switch', { name: /^Caméra/ }).click();
    await host.page.getByRole('dialog').getByRole('button', { name: 'Appliquer' }).click();
    await guest.page.getByRole('button', { name: 'Caméra éteinte. Allumer la caméra' }).click();
    await expectPicture(host.page, 'GUEST');
  });

  const old = await guest.tokens();
  await test.step('back to the lobby: the page, the place and a dead token', async () => {
    await host.page.getByRole('button', { name: 'Actions pour Karim Haddad' }).click();
    await host.page.getByRole('menuitem', { name: 'Faire revenir en salle d’attente' }).click();
    await expect(guest.page.getByText('Un hôte vous a fait revenir ici depuis la réunion.')).toBeVisible();
    expect(old.length).toBeGreaterThan(0);
    for (const token of old) expect((await validate(server.url, token)).status).toBe(401);
    await look(guest.page, 'waiting-back');
    await guest.page.reload();
    await expect(guest.page.getByText('Un hôte vous a fait revenir ici depuis la réunion.')).toBeVisible();
  });

  await test.step('and in again without a new knock', async () => {
    await host.openPanel('lobby');
    await row('Karim Haddad').getByRole('button', { name: /^Faire entrer/ }).click();
    await guest.expectInCall();
    await expectPicture(guest.page, 'HOST');
    for (const token of old) expect((await validate(server.url, token)).status).toBe(401);
  });

  await test.step('banned: the page says by what one is known, a new tab and a restart change nothing', async () => {
    await host.openPanel('people');
    await host.page.getByRole('button', { name: 'Actions pour Karim Haddad' }).click();
    await host.page.getByRole('menuitem', { name: 'Exclure' }).click();
    await look(host.page, 'ban');
    await host.page.getByRole('alertdialog').getByRole('button', { name: 'Exclure' }).click();
    await guest.expectHeading('Un hôte a fermé cet accès');
    await expect(guest.page.getByText('Ce lien ne permet plus de demander à entrer')).toBeVisible();
    await look(guest.page, 'banned');
    await server.crashAndRestart();
    await guest.inSecondTab(async () => {
      await guest.open(link);
      await guest.expectHeading('Un hôte a fermé cet accès');
    });
  });

  await test.step('until the host lifts it', async () => {
    await host.openPanel('lobby');
    await host.page.getByRole('button', { name: /^Lever l’exclusion/ }).click();
    await guest.askAgain('Karim Haddad');
    await expect(row('Karim Haddad')).toBeVisible();
  });
}
