// A host asks three people whether they agree to be recorded: one does, one does not, one takes it back. Nothing is done by
// mouse, everybody sees and hears who is recorded, and the server tells the same.

import { stat } from 'node:fs/promises';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { look } from './support/look.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectRecordingSound, hear } from './support/sounds.ts';
import { expectSaid, listen, tabTo } from './support/spoken.ts';
import { expectWhole } from './support/zoom.ts';

let server: Server;
let host: Host;
const guests: Guest[] = [];
const others: Host[] = [];

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  await listen(host.page.context());
  await host.signIn(server);
});

test.afterEach(async () => {
  for (const someone of [...guests.splice(0).reverse(), ...others.splice(0)]) await someone.leave();
  await host?.leave();
  await server?.stop();
});

const prompt = (page: Page): Locator => page.getByTestId('rec-prompt');
const mark = (page: Page): Locator => page.locator('.ctop').getByTestId('recording');
const tile = (page: Page, name: string): Locator => page.locator('.tile').filter({ hasText: name });

/** By F6 to the question, by Tab to the answer; and the focus is where it was. */
async function answer(page: Page, name: string): Promise<void> {
  await expect(prompt(page)).toBeVisible();
  const before = page.locator('[data-region="bar"] button').first();
  await before.focus();
  await page.keyboard.press('F6');
  await expect(prompt(page).getByRole('heading')).toBeFocused();
  await tabTo(page, prompt(page).getByRole('button', { name }));
  await page.keyboard.press('Enter');
  await expect(prompt(page)).toHaveCount(0);
  await expect(before).toBeFocused();
}

test('a host records those who agree, and nobody else', async () => {
  const { page } = host;
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Inês Duarte');
  const other = await host.invite('Karim Haddad');
  await host.enter();
  const ines = await Guest.arrive({ language: 'fr' });
  guests.push(ines);
  await listen(ines.page.context());
  await hear(ines.page.context());
  const karim = await ines.beside('ar');
  guests.push(karim);
  await listen(karim.page.context());
  await hear(karim.page.context());
  await ines.open(link);
  await ines.knock('Inês Duarte');
  await host.admit('Inês Duarte');
  await ines.expectInCall();

  const dialog = page.getByRole('dialog');
  const shared = ines.page.locator('.shared');
  const fullScreen = () => ines.page.evaluate(() => document.fullscreenElement?.className);
  /** What the host shares, in full screen where Inês looks at it. */
  const inFullScreen = async () => {
    await expect(tile(page, 'Inês Duarte')).toBeVisible();
    await page.getByRole('button', { name: host.words.share, exact: true }).press('Enter');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Choisir quoi partager' }).press('Enter');
    await shared.getByRole('button', { name: 'Écran partagé en plein écran' }).press('Enter');
    await expect.poll(fullScreen).toBe('shared');
  };
  await test.step('asks, and says what for', async () => {
    await inFullScreen();
    await page.getByRole('button', { name: 'Plus', exact: true }).press('Enter');
    await page.getByRole('menuitem', { name: 'Enregistrement…' }).press('Enter');
    await dialog.getByRole('button', { name: 'Demander à chacun' }).press('Enter');
    await expect(dialog.getByText('Dites à quoi il servira.')).toBeVisible();
    await dialog.getByLabel('À quoi servira l’enregistrement ?').fill('Compte rendu de la réunion');
    await dialog.getByRole('button', { name: 'Demander à chacun' }).press('Enter');
    await expectSaid(ines.page, /^assertive: Anne Bernard souhaite enregistrer, pour : Compte rendu de la réunion\./);
    await expect(mark(ines.page)).toContainText('Enregistrement demandé');
    await expect.poll(fullScreen, { message: 'a picture in full screen hides no question' }).toBeUndefined();
    await expect(shared.getByRole('button', { name: 'Écran partagé en plein écran' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Plus', exact: true })).toBeFocused();
    await page.getByRole('button', { name: host.words.sharing }).press('Enter');
    await expect(shared).toHaveCount(0);
    await mark(page).press('Enter');
    for (const said of ['90 jours', 'Même si vous refusez, l’enregistrement peut contenir votre voix, si le micro d’une personne qui vous écoute sur haut-parleur la capte', 'si quelqu’un partage un écran où l’on vous voit', 'vos messages ne sont pas enregistrés']) await expect(prompt(ines.page)).toContainText(said);
    await look(ines.page, 'recording-question', prompt(ines.page));
    // The answers weigh the same.
    const looks = await prompt(ines.page).locator('.rec-choice button').evaluateAll((all) => all.map((one) => one.className + getComputedStyle(one).backgroundColor));
    expect(new Set(looks).size).toBe(1);
    // However small the phone, every button is in view, and so is the meeting: its text scrolls.
    const before = ines.page.viewportSize();
    for (const size of [{ width: 320, height: 568 }, { width: 390, height: 844 }, { width: 844, height: 390 }]) {
      await ines.page.setViewportSize(size);
      for (const name of ['J’accepte', 'Je préfère ne pas y figurer', 'Quitter la réunion']) await expect(prompt(ines.page).getByRole('button', { name }), `${name} at ${size.width}`).toBeInViewport({ ratio: 1 });
      await expect(tile(ines.page, host.name), `who speaks, at ${size.width}`).toBeInViewport({ ratio: 0.9 });
    }
    if (before) await ines.page.setViewportSize(before);
  });

  await test.step('whoever waits reads it before coming in', async () => {
    await karim.open(other);
    await expect(karim.page.getByText(/^طُلب تسجيل أو هو جارٍ الآن/)).toBeVisible();
    await karim.knock('Karim Haddad');
    await expect(karim.page.getByText(/^طُلب تسجيل أو هو جارٍ الآن/)).toBeVisible();
  });

  await test.step('is recorded after the start who has agreed', async () => {
    await answer(ines.page, 'J’accepte');
    await expectSaid(ines.page, 'polite: Vous figurez dans l’enregistrement');
    await expect(dialog.getByRole('listitem').filter({ hasText: 'Inês Duarte' })).toContainText('accepte');
    await dialog.getByRole('button', { name: 'Commencer l’enregistrement' }).press('Enter');
    await expectSaid(page, /^assertive: L’enregistrement est en cours\./);
    await expectSaid(ines.page, /^assertive: L’enregistrement est en cours\./);
    await expect(mark(ines.page)).toHaveText(/^Enregistrement/);
    await expectRecordingSound(ines.page, 1);
    await look(page, 'recording-host');
    await dialog.getByRole('button', { name: 'Je préfère ne pas y figurer' }).press('Enter');
    await page.keyboard.press('Escape');
    await expect(tile(page, 'Inês Duarte').getByTestId('unrecorded')).toHaveCount(0);
    await expect(page.locator('.tile[data-self="true"]').getByTestId('unrecorded')).toHaveText('hors enregistrement');
    await expect(tile(ines.page, host.name).getByTestId('unrecorded')).toHaveText('hors enregistrement');
  });

  await test.step('whoever comes later is asked as they come in, and may decline', async () => {
    await host.admit('Karim Haddad');
    await karim.expectInCall();
    await expect(prompt(karim.page)).toBeVisible();
    await expectRecordingSound(karim.page, 1);
    await look(karim.page, 'recording-question-ar', prompt(karim.page));
    await answer(karim.page, 'أفضّل عدم الظهور فيه');
    await expect(tile(page, 'Karim Haddad').getByTestId('unrecorded')).toBeVisible();
    await karim.page.reload();
    await karim.expectInCall();
    await karim.page.setViewportSize({ width: 390, height: 844 });
    await expect(mark(karim.page).getByText('بدونكم'), 'on a phone, where one’s own tile may be on another page').toBeInViewport();
    await expect(prompt(karim.page)).toHaveCount(0);
  });

  await test.step('the mark is there, too, where the top bar is not', async () => {
    await inFullScreen();
    await expect(shared.getByTestId('recording')).toHaveText('Enregistrement');
    await expect(shared.getByTestId('recording')).toBeInViewport({ ratio: 1 });
    await look(ines.page, 'recording-full-screen');
    await shared.getByRole('button', { name: 'Quitter le plein écran' }).press('Enter');
    await page.getByRole('button', { name: host.words.sharing }).press('Enter');
    await expect(shared).toHaveCount(0);
    await ines.page.locator('#main').focus();
    const opening = ines.page.context().waitForEvent('page');
    await ines.page.keyboard.press('i');
    const mini = await opening;
    await expect(mini.getByTestId('recording')).toHaveText('Enregistrement');
    await expect(mini.getByTestId('recording')).toBeInViewport({ ratio: 1 });
    await mini.close();
  });

  await test.step('a word that is taken back holds at once', async () => {
    await mark(ines.page).press('Enter');
    await ines.page.getByRole('dialog').getByRole('button', { name: 'Je préfère ne pas y figurer' }).press('Enter');
    await expectSaid(ines.page, 'polite: Vous ne figurez plus dans l’enregistrement. Ce qui a été enregistré avant y reste.');
    await ines.page.keyboard.press('Escape');
    await expect(mark(ines.page)).toBeFocused();
    await expect(tile(page, 'Inês Duarte').getByTestId('unrecorded')).toBeVisible();
    const told = await host.ask<{ state: string; answers: { name: string; answer?: string; recorded: boolean }[] }>(`/meetings/${host.meeting}/call/recording`);
    expect(Object.fromEntries(told.answers.map(({ name, answer: said, recorded }) => [name, [said, recorded]]))).toEqual({
      [host.name]: ['declined', false], 'Inês Duarte': ['withdrawn', true], 'Karim Haddad': ['declined', false],
    });
  });

  await test.step('pauses, goes on and stops', async () => {
    await mark(page).press('Enter');
    await dialog.getByRole('button', { name: 'Suspendre' }).press('Enter');
    await expectSaid(karim.page, 'assertive: أُوقف التسجيل مؤقتًا.');
    await expectRecordingSound(ines.page, 2); // to its end: two at once would mingle
    await expect(mark(karim.page)).toContainText('التسجيل موقوف مؤقتًا');
    await expect(dialog.getByRole('button', { name: 'Reprendre' })).toBeFocused();
    await page.keyboard.press('Enter');
    await expectSaid(karim.page, 'assertive: استُؤنف التسجيل.');
    await expectRecordingSound(ines.page, 3);
    await dialog.getByRole('button', { name: 'Arrêter l’enregistrement' }).press('Enter');
    await expect(dialog, 'no other is asked for').toHaveCount(0);
    await expect(page.locator('[data-region="panel"] h2'), 'the mark that opened it is gone: the panel’s heading').toBeFocused();
    for (const one of [page, ines.page, karim.page]) {
      await expectSaid(one, one === karim.page ? 'assertive: انتهى التسجيل.' : 'assertive: L’enregistrement est terminé.');
      await expect(mark(one)).toHaveCount(0);
      await expect(one.getByTestId('unrecorded')).toHaveCount(0);
    }
    await expectRecordingSound(ines.page, 4);
  });

  await test.step('is on the meeting’s page, and is taken away from there as it was written', async () => {
    await page.goto(`${server.url}/meetings/${host.meeting}`);
    const one = page.getByRole('region', { name: 'Enregistrements' }).getByRole('listitem').filter({ hasText: 'Compte rendu de la réunion' });
    await expect(one).toContainText('Terminé');
    await expect(one).toContainText('Scellé : seules les archives peuvent l’ouvrir.'.replace(' :', '\u00a0:'));
    await expect(one).toContainText('Inês Duarte (a retiré son accord ensuite)');
    const coming = page.waitForEvent('download');
    await one.getByRole('link', { name: 'Télécharger' }).click();
    const file = await coming;
    expect(file.suggestedFilename()).toMatch(/^recording-\d{4}-\d\d-\d\d-[\w-]{22}-part-0001\.tar$/);
    const { recordings } = await host.ask<{ recordings: { parts: { bytes: number }[]; downloads: { name: string }[] }[] }>(`/meetings/${host.meeting}/recordings`);
    expect((await stat(await file.path())).size).toBe(recordings[0]?.parts[0]?.bytes);
    expect(recordings[0]?.downloads.map(({ name }) => name)).toEqual([host.name]);
    await page.reload();
    await one.getByText('Comment l’ouvrir').click();
    await expect(one).toContainText('aparte record verify');
    await look(page, 'recordings', page.getByRole('region', { name: 'Enregistrements' }));
    await page.goto(`${server.url}/meetings/${host.meeting}?lang=ar`);
    await look(page, 'recordings-ar', page.getByRole('region', { name: 'التسجيلات' }));
  });

  const luc = await host.colleague('Luc Petit', 'luc@aparte.example');
  others.push(luc);
  const listed = (of: Page): Locator => of.locator('.recs-list > li').filter({ hasText: 'Coopération consulaire' });
  const one = listed(page);
  await test.step('is shared with a colleague, who finds it, takes it away, and gets nothing else of the meeting', async () => {
    await page.goto(`${server.url}/`);
    await page.getByRole('button', { name: /^Compte/ }).press('Enter');
    await page.getByRole('menuitem', { name: 'Enregistrements' }).press('Enter');
    await host.expectHeading('Enregistrements');
    await one.getByRole('button', { name: 'Partager' }).press('Enter');
    const email = dialog.getByLabel('Adresse électronique de votre collègue');
    await email.fill('personne@aparte.example');
    await email.press('Enter');
    await expect(dialog.getByText('Aucun compte de votre poste n’a cette adresse.')).toBeVisible();
    await email.fill('luc@aparte.example');
    await email.press('Enter');
    await expect(dialog.getByRole('listitem').filter({ hasText: 'Luc Petit' })).toBeVisible();
    await look(page, 'recordings-share');
    await page.keyboard.press('Escape');
    await expect(one).toContainText('Luc Petit (jusqu’au');

    await luc.page.goto(`${server.url}/recordings`);
    await expect(listed(luc.page)).toContainText('Partagé avec vous jusqu’au');
    await expect(listed(luc.page).getByRole('button')).toHaveCount(0);
    await look(luc.page, 'recordings-shared');
    const coming = luc.page.waitForEvent('download');
    await listed(luc.page).getByRole('link', { name: 'Télécharger' }).click();
    expect((await stat(await (await coming).path())).size).toBeGreaterThan(1000);
    expect(await luc.page.evaluate(async (id) => (await fetch(`/api/v1/meetings/${id}`)).status, host.meeting)).toBe(404);
  });

  await test.step('on hold it is deleted by nobody; then by its host, and the colleague has it no more', async () => {
    await one.getByRole('button', { name: 'Placer en conservation légale' }).click();
    await dialog.getByRole('button', { name: 'Placer en conservation légale' }).click();
    await expect(dialog.getByText('Indiquez le motif.')).toBeVisible();
    await look(page, 'recordings-hold');
    await dialog.getByLabel('Motif').fill('Réquisition du parquet');
    await dialog.getByRole('button', { name: 'Placer en conservation légale' }).click();
    await expect(one).toContainText('Réquisition du parquet');
    await expect(one).toContainText('Luc Petit'); // who took it away, too
    await expect(one.getByRole('button', { name: 'Supprimer' })).toHaveCount(0);
    expect(await page.evaluate(async (id) => {
      const { recordings: [first] } = (await (await fetch(`/api/v1/meetings/${id}/recordings`)).json()) as { recordings: { id: string }[] };
      const answer = await fetch(`/api/v1/meetings/${id}/recordings/${first?.id ?? ''}`, { method: 'DELETE' });
      return ((await answer.json()) as { type: string }).type;
    }, host.meeting)).toBe('urn:aparte:problem:recording-held');
    await one.getByText('Fichiers et sommes de contrôle').click();
    await expect(one.locator('.recs-files')).toHaveText(/Partie 1.*sur le serveur.*[0-9a-f]{64}/);
    await look(page, 'recordings-list');
    await expectWhole(page, 'recordings');
    await page.goto(`${server.url}/recordings?lang=ar`);
    await expect(one).toContainText('حفظ قانوني');
    await look(page, 'recordings-list-ar');
    await page.goto(`${server.url}/recordings`);
    await page.getByLabel('Titre de la réunion').fill('visas');
    await expect(page.getByText('Aucun enregistrement ne correspond.')).toBeVisible();
    await page.getByLabel('Titre de la réunion').fill('COOPERATION');
    await one.getByRole('button', { name: 'Lever la conservation légale' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Lever la conservation légale' }).click();
    await one.getByRole('button', { name: 'Supprimer' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Supprimer' }).click();
    await expect(one).toHaveCount(0);
    await luc.page.reload();
    await expect(luc.page.getByText(/^Aucun enregistrement\./)).toBeVisible();
  });
});
