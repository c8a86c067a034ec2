// How one looks on and listens: nobody moves by speaking, what is not seen is not received, and nobody is told of it.

import { expect, test, type Page } from '@playwright/test';
import { encode } from 'uqr';
import { look } from './support/look.ts';
import { expectCode, expectPicture, expectVoice } from './support/media.ts';
import { Guest, Host, showCode } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectSaid, listen } from './support/spoken.ts';
import { expectInFront } from './support/stage.ts';

let server: Server;
let host: Host;
const guests: Guest[] = [];

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  await listen(host.person.context);
});

test.afterEach(async () => {
  for (const guest of guests.splice(0)) await guest.leave();
  await host?.leave();
  await server?.stop();
});

const tile = (page: Page, name: string) => page.locator('.tile').filter({ hasText: name });

/** Where each tile stands below the uppermost, by the id of the person: what is said of a weak connection moves all alike. */
async function places(page: Page): Promise<Record<string, string>> {
  return page.locator('.tile').evaluateAll((tiles) => {
    const boxes = tiles.map((one) => one.getBoundingClientRect());
    const top = Math.min(...boxes.map(({ y }) => y));
    return Object.fromEntries(boxes.map(({ x, y, width, height }, i) => [tiles[i]?.getAttribute('data-identity'), [x, y - top, width, height].map(Math.round).join(' ')]));
  });
}

/** Id of the track that somebody's tile shows. */
async function shownTrack(page: Page, name: string): Promise<string> {
  const video = tile(page, name).locator('video');
  await expect(video).toBeVisible();
  await expect.poll(() => video.evaluate((element) => ((element as HTMLVideoElement).srcObject as MediaStream | null)?.getVideoTracks().length)).toBe(1);
  return video.evaluate((element) => ((element as HTMLVideoElement).srcObject as MediaStream).getVideoTracks()[0]?.id ?? '');
}

/** Packets received and frames decoded of one track. */
async function flow(page: Page, track: string): Promise<{ packets: number; frames: number }> {
  return page.evaluate(async (track) => {
    for (const connection of Reflect.get(window, Symbol.for('aparte.test.peerConnections')) as RTCPeerConnection[]) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.trackIdentifier === track) return { packets: report.packetsReceived as number, frames: (report.framesDecoded as number | undefined) ?? 0 };
      }
    }
    return { packets: 0, frames: 0 };
  }, track);
}

async function expectFlow(page: Page, track: string): Promise<void> {
  const { frames } = await flow(page, track);
  await expect.poll(async () => (await flow(page, track)).frames - frames, { message: 'frames decoded of the track', timeout: 30_000 }).toBeGreaterThan(5);
}

async function chooseView(page: Page, entry: RegExp): Promise<void> {
  await page.getByRole('button', { name: /^Affichage/ }).click();
  await page.getByRole('menuitem', { name: entry }).or(page.getByRole('menuitemradio', { name: entry })).click();
}

async function about(page: Page, name: string, entry: RegExp): Promise<void> {
  await tile(page, name).first().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: entry }).click();
}

test('five people: layouts, pins, volumes, pages, one’s own picture, screens, a small window', async () => {
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const names = ['Inês Duarte', 'Luc Martin', 'Ana Costa', 'Karim Haddad'];
  const links = [];
  for (const name of names) links.push(await host.invite(name));
  await host.enter();
  const { page } = host;
  const ines = await Guest.arrive({ language: 'fr' });
  guests.push(ines);
  const luc = await ines.beside();
  const ana = await ines.beside();
  const karim = await Guest.arrive({ language: 'fr', side: 'OTHER' });
  guests.push(karim);
  for (const [i, guest] of [ines, luc, ana, karim].entries()) {
    await guest.page.setViewportSize({ width: 800, height: 500 });
    await guest.open(links[i] ?? '');
    const seen = guest === ines || guest === karim;
    for (const [what, on] of [[/^Micro/, guest === ines], [/^Caméra/, seen]] as const) {
      const intent = guest.page.getByRole('switch', { name: what });
      await expect(async () => {
        if ((await intent.getAttribute('aria-checked')) !== String(on)) await intent.click();
        await expect(intent).toHaveAttribute('aria-checked', String(on), { timeout: 1_000 });
      }).toPass();
    }
    await guest.page.getByLabel(guest.words.yourName).fill(names[i] ?? '');
    await guest.page.getByRole('button', { name: guest.words.ask }).click();
    await host.admit(names[i] ?? '');
    await guest.expectInCall();
    await expect(tile(page, names[i] ?? '')).toBeVisible(); // in this order
  }
  await page.keyboard.press('Escape');
  await expect(page.locator('.tile')).toHaveCount(5);
  await expectPicture(page, 'GUEST');
  await expectPicture(page, 'OTHER');

  await test.step('nobody moves by a hand, a word, a microphone or a camera', async () => {
    const before = await places(page);
    await luc.page.keyboard.press('h');
    await expect(tile(page, 'Luc Martin').locator('.hand')).toBeVisible();
    await karim.page.keyboard.press('v');
    await expect(tile(page, 'Karim Haddad')).toHaveAttribute('data-camera', 'false');
    await expect(tile(page, 'Inês Duarte')).toHaveAttribute('data-speaking', 'true', { timeout: 30_000 });
    expect(await places(page)).toEqual(before);
    await karim.page.keyboard.press('v');
    await expectPicture(page, 'OTHER');
    expect(await places(page)).toEqual(before);
  });

  await test.step('whoever speaks is large, beside a strip of all; it is so again after a reload', async () => {
    await chooseView(page, /^Personne qui parle$/);
    const large = page.locator('.speaker > .grid .tile');
    await expect(large).toHaveText(/Inês Duarte/);
    await expect(page.locator('.strip .tile')).toHaveCount(4);
    await page.reload();
    await host.expectInCall();
    await expect(large).toHaveText(/Inês Duarte/, { timeout: 30_000 });
    await expectPicture(page, 'GUEST');
    await page.screenshot({ path: 'test-results/pages/stage-speaker.png' });
  });

  await test.step('one pinned from the keyboard comes first, and is told', async () => {
    await chooseView(page, /^Automatique$/);
    await tile(page, 'Karim Haddad').focus();
    await page.keyboard.press('e');
    await expectSaid(page, 'polite: Vous avez épinglé Karim Haddad.');
    await expectInFront(page, 'Karim Haddad');
    await expect(tile(page, 'Karim Haddad').getByText('Épingle')).toBeVisible();
    await expectFlow(page, await shownTrack(page, 'Karim Haddad'));
    await about(page, 'Karim Haddad', /^Retirer l’épingle$/);
    await expect(page.locator('.pin')).toHaveCount(0);
  });

  await test.step('one person is heard less, or not at all', async () => {
    const identity = (await tile(page, 'Inês Duarte').getAttribute('data-identity')) ?? '';
    const voice = () => page.locator(`audio[data-of="${identity}"]`).evaluate((audio: HTMLAudioElement) => ({ volume: audio.volume, muted: audio.muted }));
    await about(page, 'Inês Duarte', /^Régler le volume$/);
    const slider = page.getByRole('slider', { name: 'Volume' });
    await slider.focus();
    for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowLeft');
    await expect(slider).toHaveAttribute('aria-valuetext', /^40.%$/);
    await look(page, 'stage-volume');
    await page.getByRole('switch', { name: /Couper le son pour moi/ }).click();
    expect(await voice()).toEqual({ volume: 0.4, muted: true });
    await page.keyboard.press('Escape');
    await expect(tile(page, 'Inês Duarte').getByText('Son coupé pour vous')).toBeAttached();
    await about(page, 'Inês Duarte', /^Entendre de nouveau$/);
    expect(await voice()).toEqual({ volume: 0.4, muted: false });
    await expectVoice(page);
  });

  await test.step('people are found whatever the accents', async () => {
    await host.openPanel('people');
    const panel = page.getByRole('complementary');
    await panel.getByRole('textbox', { name: 'Rechercher une personne' }).fill('INES');
    await expect(panel.getByRole('region', { name: 'Invités' }).or(panel.locator('section:not(.hands)')).getByRole('listitem')).toHaveCount(1);
    await look(page, 'stage-search');
    await page.keyboard.press('Escape');
    await expect(panel.locator('section:not(.hands)').getByRole('listitem')).toHaveCount(5);
    await page.keyboard.press('Escape');
    await expect(panel).toHaveCount(0);
  });

  await test.step('one’s own picture, in a corner or nowhere', async () => {
    await chooseView(page, /^Petite, dans un coin$/);
    await expect(page.locator('.self-small .tile')).toBeVisible();
    await expect(page.locator('.tiles .tile')).toHaveCount(4);
    await chooseView(page, /^Me voir comme les autres me voient$/);
    await expect(page.locator('.self-small video')).not.toHaveClass(/mirror/);
    await page.screenshot({ path: 'test-results/pages/stage-self-small.png' });
    await chooseView(page, /^Masquée/);
    await expect(page.locator('.tile')).toHaveCount(4);
    await expectPicture(ines.page, 'HOST'); // others see it
    await page.getByRole('button', { name: /^Votre image est masquée/ }).click();
    await expect(page.locator('.tile')).toHaveCount(5);
  });

  await test.step('on a phone’s second page is received who is there, and nobody else', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await expect(page.locator('.tile')).toHaveCount(4);
    await expect(tile(page, 'Karim Haddad')).toHaveCount(0);
    const inesTrack = await shownTrack(page, 'Inês Duarte');
    await expectFlow(page, inesTrack);
    await page.getByRole('button', { name: 'Page suivante' }).click();
    const karimTrack = await shownTrack(page, 'Karim Haddad');
    await expectFlow(page, karimTrack);
    const stopped = async (track: string, other: string) => {
      await expect.poll(async () => {
        const before = await flow(page, track);
        await expectFlow(page, other);
        return (await flow(page, track)).packets - before.packets;
      }, { message: 'packets of who is on the other page', timeout: 30_000 }).toBe(0);
    };
    await stopped(inesTrack, karimTrack);
    await page.screenshot({ path: 'test-results/pages/stage-page.png' });
    await page.locator('.tile').first().focus();
    await page.keyboard.press('PageUp');
    await shownTrack(page, 'Inês Duarte');
    await stopped(karimTrack, inesTrack);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await test.step('of two screens each is reached, large or among the tiles', async () => {
    for (const guest of [luc, karim]) {
      await guest.page.getByRole('button', { name: guest.words.share, exact: true }).click();
      await expect(guest.page.getByRole('button', { name: guest.words.sharing })).toBeVisible();
    }
    await luc.page.evaluate(showCode, encode('HOST-001', { border: 4 }).data);
    const figure = page.locator('.shared');
    await figure.getByRole('button', { name: 'Luc Martin' }).click();
    await expect(figure.locator('.what')).toHaveText(/Luc Martin/);
    await expectCode(page, 'HOST');
    const before = await places(page);
    await ana.page.keyboard.press('h');
    await expect(tile(page, 'Ana Costa').locator('.hand')).toBeVisible();
    expect(await places(page)).toEqual(before);
    await look(page, 'stage-screens');
    await page.getByRole('button', { name: 'Écran partagé en plein écran' }).click();
    await expect.poll(() => page.evaluate(() => document.fullscreenElement?.className)).toBe('shared');
    await page.getByRole('button', { name: 'Quitter le plein écran' }).click();
    await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();
    await chooseView(page, /^Grille$/);
    await expect(page.locator('.tile.screen')).toHaveCount(2);
    await page.screenshot({ path: 'test-results/pages/stage-screens-grid.png' });
    await page.getByRole('button', { name: 'Agrandir l’écran : Luc Martin' }).click();
    await expect(figure.locator('.what')).toHaveText(/Luc Martin/);
    await luc.page.evaluate(() => document.getElementById('shown-code')?.remove());
    for (const guest of [luc, karim]) await guest.page.getByRole('button', { name: guest.words.sharing }).click();
    await expect(page.locator('.shared')).toHaveCount(0);
  });

  await test.step('full screen, and a small window with the speaker’s picture, the microphone and the way out', async () => {
    await page.locator('#main').focus();
    await page.keyboard.press('f');
    await expect.poll(() => page.evaluate(() => document.fullscreenElement?.tagName)).toBe('HTML');
    await page.keyboard.press('f');
    await expect.poll(() => page.evaluate(() => document.fullscreenElement)).toBeNull();
    const opening = host.person.context.waitForEvent('page');
    await page.keyboard.press('i');
    const mini = await opening;
    await expect(mini.getByText('Inês Duarte')).toBeVisible();
    await expectPicture(mini, 'GUEST');
    await mini.screenshot({ path: 'test-results/pages/stage-mini.png' });
    await mini.getByRole('button', { name: /^Micro allumé/ }).click();
    await expect(page.getByRole('button', { name: /^Micro éteint/ })).toBeVisible();
    await mini.getByRole('button', { name: host.words.leave, exact: true }).click();
    await expect(page.getByRole('button', { name: /Revenir dans la réunion/ })).toBeVisible();
    await expect.poll(() => mini.isClosed()).toBe(true);
  });
});
