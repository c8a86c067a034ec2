// A host moderates five participants from the keyboard alone. What each act does is read off the others' decoded media.

import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { expect, test, type Page } from '@playwright/test';
import { encode } from 'uqr';
import { expectCode, expectPicture, expectVoice, marks, received } from './support/media.ts';
import { Guest, Host, showCode } from './support/people.ts';
import { look, sizes } from './support/look.ts';
import { Server } from './support/server.ts';
import { expectInFront } from './support/stage.ts';

let server: Server;
let host: Host;
const browsers: Guest[] = [];

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
});

test.afterEach(async () => {
  for (const guest of browsers.splice(0)) await guest.leave();
  await host?.leave();
  await server?.stop();
});

/** A shared link as a host's browser makes it. */
async function sharedLink(): Promise<string> {
  const secret = randomBytes(32);
  const code = Buffer.from(hkdfSync('sha256', secret, '', 'aparte/link/auth', 32));
  const draft = { kind: 'shared', label: 'Partenaires', expires_at: new Date(Date.now() + 86_400_000).toISOString(), code_hash: createHash('sha256').update(code).digest('base64url') };
  const made = await host.page.evaluate(async ([path, body]) => (await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })).json() as Promise<{ id: string }>, [`/api/v1/meetings/${host.meeting}/links`, JSON.stringify(draft)] as const);
  return `${server.url}/i/${made.id}#${secret.toString('base64url')}`;
}

/** Knocks; who means neither to be heard nor seen says so before. */
async function knock(guest: Guest, link: string, name: string, means: { mic: boolean; cam: boolean }): Promise<void> {
  await guest.open(link);
  const mic = guest.page.getByRole('switch', { name: /^Micro/ });
  await expect(mic).toBeVisible();
  if ((await mic.getAttribute('aria-checked')) !== String(means.mic)) await mic.click();
  if (means.cam) await guest.wantCamera();
  await guest.page.getByLabel(guest.words.yourName).fill(name);
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await expect(guest.page.getByRole('button', { name: 'Quitter la salle d’attente' })).toBeVisible();
}

/** What has the focus, as a screen reader names it. */
const focused = (page: Page) => page.evaluate(() => {
  const element = document.activeElement;
  if (!element || element.matches('body, main')) return '';
  return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? '';
});

/** Presses a key until what has the focus is named so. */
async function reach(page: Page, key: string, name: RegExp, most = 60): Promise<void> {
  for (let i = 0; i < most; i++) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press(key);
  }
  expect(await focused(page), `reached with ${key}`).toMatch(name);
}

/** Opens the panel of people, unless it is, and chooses from a menu in it: by keys alone. */
async function choose(button: RegExp, entry: RegExp): Promise<void> {
  const { page } = host;
  await reach(page, 'Tab', button);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await reach(page, 'ArrowDown', entry);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toHaveCount(0);
}

const about = (name: string, entry: RegExp) => choose(new RegExp(`^Actions pour ${name}$`), entry);
const all = (entry: RegExp) => choose(/^Pour tous$/, entry);

/** Nothing is heard while the page decodes forty more frames of somebody's picture. */
async function expectSilence(page: Page): Promise<void> {
  const frames = async (n: number) => {
    const { framesDecoded } = await received(page);
    await expect.poll(async () => (await received(page)).framesDecoded - framesDecoded, { message: 'frames go on', timeout: 30_000 }).toBeGreaterThan(n);
  };
  await frames(15); // what was on its way, and the end of what conceals its loss
  const before = await received(page);
  await frames(40);
  expect((await received(page)).audioEnergy - before.audioEnergy, 'sound energy received').toBeLessThan(0.0005);
}

const sides = async (page: Page) => new Set((await marks(page)).map((mark) => mark.side));
/** What was done to a guest stands there for twelve seconds: it is looked for before anything that takes its time. */
const told = (guest: Guest) => guest.page.getByTestId('moderated');

test('a host moderates five participants from the keyboard alone', async () => {
  test.setTimeout(400_000);
  const link = await sharedLink();
  await host.enter();
  const { page } = host;
  const ines = await Guest.arrive({ language: 'fr' });
  browsers.push(ines);
  const karim = await Guest.arrive({ language: 'fr', side: 'OTHER' });
  browsers.push(karim);
  const [luc, ana, noa] = [await ines.beside(), await ines.beside(), await karim.beside()];
  // Two cores decode for six: whoever only looks on looks at little.
  for (const guest of [karim, ana, noa]) await guest.page.setViewportSize({ width: 800, height: 500 });
  await knock(ines, link, 'Inês Duarte', { mic: true, cam: true });
  await knock(karim, link, 'Karim Haddad', { mic: false, cam: true });
  await knock(luc, link, 'Luc Martin', { mic: false, cam: false });
  await knock(ana, link, 'Ana Costa', { mic: false, cam: false });
  await knock(noa, link, 'Noa Levi', { mic: false, cam: false });

  await test.step('lets the five in', async () => {
    await page.keyboard.press('l');
    await reach(page, 'Tab', /^Faire entrer les 5/);
    await page.keyboard.press('Enter');
    for (const guest of [ines, karim, luc, ana, noa]) await guest.expectInCall();
    await page.keyboard.press('m'); // one's own microphone, so that Inês alone is heard
    await page.keyboard.press('p');
    await expect(page.getByRole('complementary').getByRole('listitem')).toHaveCount(6);
    await expectPicture(luc.page, 'GUEST');
    await expectPicture(luc.page, 'OTHER');
    await expectVoice(luc.page);
  });

  await test.step('mutes one', async () => {
    await about('Inês Duarte', /^Couper le micro$/);
    await expect(told(ines)).toHaveText(`${host.name} a coupé votre micro.`);
    await expectSilence(luc.page);
    await look(ines.page, 'moderated-told');
  });

  await test.step('asks to unmute, which takes no focus and nobody else can do', async () => {
    await ines.openPanel('chat');
    const field = ines.page.getByRole('textbox', { name: ines.words.message });
    await field.focus();
    await about('Inês Duarte', /^Demander d’ouvrir le micro$/);
    await expect(ines.page.getByText(`${host.name} vous demande d’ouvrir votre micro.`).first()).toBeVisible();
    await expect(field).toBeFocused();
    await expectSilence(luc.page);
    await look(ines.page, 'moderated-asked');
    await ines.page.getByRole('button', { name: 'Ouvrir mon micro' }).click();
    await expectVoice(luc.page);
  });

  await test.step('mutes all', async () => {
    await look(page, 'moderating-people');
    await all(/^Couper tous les micros$/);
    await expect(told(ines)).toHaveText(`${host.name} a coupé votre micro.`);
    await expectSilence(luc.page);
  });

  await test.step('stops a camera', async () => {
    await about('Karim Haddad', /^Arrêter la caméra$/);
    await expect(told(karim)).toHaveText(`${host.name} a arrêté votre caméra.`);
    await expect.poll(async () => [...await sides(luc.page)], { message: 'cameras that Luc sees' }).not.toContain('OTHER');
    await expectPicture(luc.page, 'GUEST');
  });

  await test.step('stops a share', async () => {
    await noa.page.getByRole('button', { name: noa.words.share, exact: true }).click();
    await noa.page.evaluate(showCode, encode('OTHER-001', { border: 4 }).data);
    await expectCode(luc.page, 'OTHER');
    await about('Noa Levi', /^Arrêter le partage d’écran$/);
    await expect(told(noa)).toHaveText(`${host.name} a arrêté votre partage d’écran.`);
    await expect.poll(async () => [...await sides(luc.page)], { message: 'screens that Luc sees' }).not.toContain('OTHER');
    await expect(luc.page.locator('.shared')).toHaveCount(0);
    await noa.page.evaluate(() => document.getElementById('shown-code')?.remove());
    await expect(noa.page.getByRole('button', { name: noa.words.share, exact: true })).toBeVisible();
  });

  await test.step('forbids sharing to all', async () => {
    await all(/^Interdire le partage d’écran$/);
    await expect(told(karim)).toHaveText(`${host.name} ne permet plus le partage d’écran.`);
    for (const guest of [karim, luc]) await expect(guest.page.getByRole('button', { name: guest.words.share, exact: true })).toHaveCount(0);
    await expect(page.getByRole('button', { name: host.words.share, exact: true })).toBeVisible();
  });

  await test.step('puts one in front, from the tile', async () => {
    await page.keyboard.press('Escape'); // the panel
    await page.keyboard.press('F6');
    for (let i = 0; i < 4 && !(await page.evaluate(() => document.activeElement?.id === 'main')); i++) await page.keyboard.press('F6');
    // What is said of a weak connection has its buttons before the tiles.
    await page.keyboard.press('Tab');
    for (let i = 0; i < 3 && !(await page.evaluate(() => document.activeElement?.closest('.tile') != null)); i++) await page.keyboard.press('Tab');
    await reach(page, 'ArrowRight', /Inês Duarte/, 6);
    await page.keyboard.press('Enter');
    await reach(page, 'ArrowDown', /^Mettre en avant pour tous$/);
    await page.keyboard.press('Enter');
    await expect(told(ines)).toHaveText(/vous met en avant/);
    await expectInFront(luc.page, 'Inês Duarte');
    await expectPicture(luc.page, 'GUEST');
    await look(luc.page, 'moderated-spotlight');
    await luc.page.reload(); // who comes later sees it so, too
    await luc.expectInCall();
    await expectInFront(luc.page, 'Inês Duarte');
  });

  await test.step('locks', async () => {
    await page.keyboard.press('p');
    await all(/^Verrouiller la réunion$/);
    for (const one of [page, luc.page, karim.page]) await expect(one.getByRole('img', { name: /^La réunion est verrouillée/ })).toBeVisible();
    await luc.page.reload(); // whoever was let in may come back
    await luc.expectInCall();
  });

  await test.step('sends one back, who reads that the meeting is locked', async () => {
    await about('Ana Costa', /^Faire revenir en salle d’attente$/);
    await expect(ana.page.getByText('La réunion est verrouillée pour le moment. Vous pouvez attendre.')).toBeVisible();
    await look(ana.page, 'moderated-lobby');
    await page.keyboard.press('l');
    await expect(page.getByText('La réunion est verrouillée. Déverrouillez-la pour faire entrer quelqu’un.')).toBeVisible();
    await look(page, 'moderating-locked');
  });

  await test.step('removes one', async () => {
    await page.keyboard.press('p');
    await expectPicture(luc.page, 'GUEST');
    await about('Inês Duarte', /^Retirer de la réunion$/);
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await reach(page, 'Tab', /^Retirer$/, 5);
    await page.keyboard.press('Enter');
    await expect.poll(async () => [...await sides(luc.page)], { message: 'cameras that Luc sees' }).not.toContain('GUEST');
    await expect(luc.page.locator('.tile').filter({ hasText: 'Inês Duarte' })).toHaveCount(0);
    await expectPicture(luc.page, 'HOST');
  });
});

test('a host moderates on a phone', async () => {
  const link = await sharedLink();
  await host.page.setViewportSize(sizes.phone);
  await host.enter();
  const ines = await Guest.arrive({ language: 'fr' });
  browsers.push(ines);
  await knock(ines, link, 'Inês Duarte', { mic: true, cam: true });
  await host.admit('Inês Duarte');
  await ines.expectInCall();
  const { page } = host;
  await expectPicture(page, 'GUEST');
  await page.getByRole('button', { name: 'Plus', exact: true }).click();
  await page.getByRole('menuitem', { name: /^Présents/ }).click();
  for (const button of await page.getByRole('complementary').getByRole('button').all()) {
    const box = await button.boundingBox();
    expect.soft(Math.min(box?.width ?? 0, box?.height ?? 0), await button.innerText()).toBeGreaterThanOrEqual(44);
  }
  await page.getByRole('button', { name: 'Actions pour Inês Duarte' }).click();
  await page.getByRole('menuitem', { name: 'Arrêter la caméra' }).click();
  await expect(told(ines)).toHaveText(`${host.name} a arrêté votre caméra.`);
  await expect.poll(async () => [...await sides(page)]).not.toContain('GUEST');
  await page.getByRole('button', { name: 'Pour tous' }).click();
  for (const entry of await page.getByRole('menuitem').all()) expect.soft((await entry.boundingBox())?.height ?? 0, await entry.innerText()).toBeGreaterThanOrEqual(44);
  await look(page, 'moderating-menu');
  await page.getByRole('menuitem', { name: 'Interdire les micros' }).click();
  await expect(ines.page.getByRole('button', { name: /^Micro éteint. Aucun hôte/ })).toHaveAttribute('aria-disabled', 'true');
});
