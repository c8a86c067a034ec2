// Sound, picture and connection as one wants them: hearing oneself before the call, settings before it and in it, sound
// alone and little data as the media tells them, single keys one by one, and the microphone that is on while held.

import { expect, test, type Page } from '@playwright/test';
import { look } from './support/look.ts';
import { expectCode, expectVoice, marks, received } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;
let host: Host;
let guest: Guest;

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive({ language: 'fr' });
});

test.afterEach(async () => {
  await guest?.leave();
  await host?.leave();
  await server?.stop();
});

async function openSettings(page: Page, subject: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Réglages' });
  if (!(await dialog.isVisible())) {
    await page.getByRole('navigation').getByRole('button', { name: 'Plus', exact: true }).click();
    await page.getByRole('menuitem', { name: 'Réglages' }).click();
  }
  await dialog.getByRole('tab', { name: subject }).click();
}

async function close(page: Page): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name: 'Fermer' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
}

/** Lines of the tallest picture that is received now, or sent. */
async function lines(page: Page, way: 'inbound-rtp' | 'outbound-rtp'): Promise<number> {
  return page.evaluate(async (way) => {
    const connections = Reflect.get(window, Symbol.for('aparte.test.peerConnections')) as RTCPeerConnection[];
    let tallest = 0;
    for (const connection of connections.filter((one) => one.connectionState === 'connected'))
      for (const report of (await connection.getStats()).values())
        if (report.type === way && report.kind === 'video' && (report.framesPerSecond ?? 0) > 0) tallest = Math.max(tallest, report.frameHeight ?? 0);
    return tallest;
  }, way);
}

test('devices are tried and heard before the call, and settings do what they say in it', async () => {
  const { page } = guest;
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const link = await host.invite('Inês Duarte');
  await guest.open(link);
  await guest.knock('Inês Duarte');

  await test.step('one hears oneself, on this device alone', async () => {
    await page.getByRole('button', { name: guest.words.tryDevices }).click();
    const echo = page.getByTestId('echo');
    // It records for four seconds and plays for as long; the page notes what it shows, and stops it as soon as it plays.
    const shown = await echo.evaluateHandle((box: HTMLElement) => {
      const all: string[] = [];
      new MutationObserver(() => {
        const now = `${box.dataset['state']}: ${box.querySelector('[role=status]')?.textContent}`;
        if (now !== all.at(-1)) all.push(now);
        if (box.dataset['state'] === 'playing') [...box.querySelectorAll('button')].find((one) => one.textContent === 'Arrêter')?.click();
      }).observe(box, { attributes: true, childList: true, subtree: true, characterData: true });
      return all;
    });
    await echo.getByRole('button', { name: 'M’entendre' }).click();
    await expect.poll(async () => (await shown.jsonValue()).length, { message: 'recorded, played and over' }).toBe(3);
    const [recording, playing, over] = await shown.jsonValue();
    expect(recording).toMatch(/^recording: Parlez maintenant/);
    expect(playing).toMatch(/^playing: /);
    expect(over).toMatch(/^idle: /);
    await look(page, 'device-echo', echo);
  });

  await test.step('settings before the call, on a phone a list and then a page', async () => {
    await page.getByRole('button', { name: 'Réglages' }).click();
    await expect(page.getByRole('tab', { name: 'Son' })).toBeVisible();
    await look(page, 'settings-before');
    await close(page);
    await page.setViewportSize({ width: 320, height: 640 });
    await page.getByRole('button', { name: 'Réglages' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Clavier' }).click();
    await expect(page.getByRole('heading', { level: 3, name: 'Clavier' })).toBeFocused();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
    await page.screenshot({ path: 'test-results/pages/settings-keys-320.png' });
    await close(page);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  await test.step('in the call, both see and hear each other', async () => {
    await host.enter();
    await host.admit('Inês Duarte');
    await guest.expectInCall();
    await expectCode(page, 'HOST');
    await expectCode(host.page, 'GUEST');
  });

  await test.step('with sound alone no picture is sent or received, and voices are', async () => {
    await openSettings(page, 'Réseau');
    await page.getByLabel('Image et son', { exact: true }).selectOption('sound');
    await close(page);
    await expect(page.getByTestId('sound-only')).toBeVisible();
    await expect.poll(async () => (await marks(page)).length).toBe(0);
    await expect.poll(async () => (await marks(host.page)).some(({ side }) => side === 'GUEST')).toBe(false);
    await expect.poll(() => lines(page, 'outbound-rtp')).toBe(0);
    const before = await received(page);
    await expectVoice(page);
    const after = await received(page);
    expect(after.packets, 'packets of the voice').toBeGreaterThan(before.packets);
    expect(after.framesDecoded, 'frames decoded').toBe(before.framesDecoded);
    await look(page, 'stage-sound-only');
  });

  await test.step('with little data pictures are small both ways', async () => {
    await openSettings(page, 'Réseau');
    await page.getByLabel('Image et son', { exact: true }).selectOption('low');
    await close(page);
    await expectCode(host.page, 'GUEST');
    await expect.poll(() => lines(page, 'outbound-rtp')).toBe(180);
    await expect.poll(() => lines(page, 'inbound-rtp')).toBe(180);
    await openSettings(page, 'Réseau');
    const details = page.getByTestId('connection-details');
    await expect(details.getByRole('status')).toHaveText(/connexion/);
    await details.getByText('Détails pour l’assistance').click();
    await expect(details.getByText(/320 × 180/).first()).toBeVisible();
    await expect(details).toContainText('Direct (UDP)');
    await expect(details).toContainText(/[1-9]\d* kbit\/s/);
    await look(page, 'settings-connection');
    await page.getByLabel('Image et son', { exact: true }).selectOption('full');
    await expect.poll(() => lines(page, 'inbound-rtp'), { timeout: 40_000 }).toBeGreaterThan(180);
    await expect.poll(() => lines(page, 'outbound-rtp'), { timeout: 40_000 }).toBeGreaterThan(180);
  });

  await test.step('a single key can be switched off by itself', async () => {
    await openSettings(page, 'Clavier');
    await page.getByRole('checkbox', { name: /^M\b/ }).uncheck();
    await close(page);
    const mic = page.getByRole('navigation').getByRole('button', { name: /^Micro/ }).first();
    await expect(mic).toHaveAccessibleName(/^Micro allumé/);
    await page.locator('#main').focus();
    await page.keyboard.press('m');
    await page.keyboard.press('v'); // the camera's key works on, and the microphone's has been seen by then
    await expect(page.getByRole('button', { name: /^Caméra éteinte/ })).toBeVisible();
    await expect(mic).toHaveAccessibleName(/^Micro allumé/);
  });

  await test.step('hold to talk: on while Space or the button is held, and never by itself', async () => {
    await openSettings(page, 'Son');
    await page.getByRole('switch', { name: /^Tenir pour parler/ }).click();
    await close(page);
    const mic = page.getByRole('button', { name: 'Micro éteint. Tenir pour parler' });
    const held = page.getByRole('button', { name: 'Micro allumé tant que vous tenez' });
    await expect(mic).toBeVisible();
    await look(page, 'stage-hold');
    await page.locator('#main').focus();
    await page.keyboard.down(' ');
    await expect(held).toBeVisible();
    await page.keyboard.up(' ');
    await expect(mic).toBeVisible();
    await mic.hover();
    await page.mouse.down();
    await expect(held).toBeVisible();
    await page.mouse.up();
    await expect(mic).toBeVisible();
  });
});
