// Every page as a person meets it, in French and English, and those that guests
// and hosts see most in Arabic, from right to left: no accessibility finding, nothing to scroll sideways to, and a picture in test-results/pages.
// `make screenshots` takes all sizes and themes, `make test` two of each page.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { findings } from './support/axe.ts';
import { expectPicture } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

const sizes = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 }, large: { width: 1920, height: 1080 } } as const;
interface View {
  size: keyof typeof sizes;
  theme: 'light' | 'dark';
}

const everything: View[] = (['phone', 'laptop', 'large'] as const).flatMap((size) => [{ size, theme: 'light' }, { size, theme: 'dark' }] satisfies View[]);
const views: View[] = process.env['VIEWS'] === 'all' ? everything : [{ size: 'phone', theme: 'dark' }, { size: 'laptop', theme: 'light' }];
const folder = path.join(import.meta.dirname, 'test-results', 'pages');

const narrow = [[320, 640], [320, 256], [844, 390]] as const;
const shortly = new Set(['create', 'meeting', 'entry', 'lobby', 'call-people', 'call-guest']);

/** What the tour looks for and writes beyond the words of the journeys. */
const texts = {
  fr: { signIn: 'Se connecter', title: 'Coopération consulaire', nobody: 'Aucun hôte n’est encore arrivé', hello: 'Bonjour à tous.', removed: 'Un hôte vous a retiré de la réunion', unknown: 'Ce lien n’est plus valable' },
  en: { signIn: 'Sign in', title: 'Consular cooperation', nobody: 'No host has arrived yet', hello: 'Good morning, everyone.', removed: 'A host removed you from the meeting', unknown: 'This link is no longer valid' },
  ar: { signIn: 'تسجيل الدخول', title: 'التعاون القنصلي', nobody: 'لم يصل أي مضيف بعد', hello: 'صباح الخير جميعًا.', removed: 'أخرجكم أحد المضيفين من الاجتماع', unknown: 'لم يعد هذا الرابط صالحًا' },
} as const;

let language: keyof typeof texts = 'fr';

/** Looks at the page as it stands in each view, and leaves it as it was. */
async function look(page: Page, name: string): Promise<void> {
  if (language === 'ar' && views !== everything && !shortly.has(name)) return;
  await test.step(`${name} (${language})`, async () => {
    const before = page.viewportSize();
    for (const { size, theme } of views) {
      await page.setViewportSize(sizes[size]);
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      const seen = `${name}, ${size}, ${theme}, ${language}`;
      await expect(page.getByRole('heading', { level: 1 }), `one heading: ${seen}`).toHaveCount(1);
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(sideways, `pixels to scroll sideways: ${seen}`).toBeLessThanOrEqual(0);
      await page.screenshot({ path: path.join(folder, `${name}-${size}-${theme}-${language}.png`) });
      expect.soft(await findings(page), `accessibility: ${seen}`).toEqual([]);
    }
    // Small, and as small as a laptop is at 400 %: everything is there, without a way to the side.
    for (const [width, height] of narrow) {
      await page.setViewportSize({ width, height });
      const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(sideways, `pixels to scroll sideways: ${name}, ${width} x ${height}, ${language}`).toBeLessThanOrEqual(0);
      if (views === everything) await page.screenshot({ path: path.join(folder, `${name}-${width}x${height}-${language}.png`) });
    }
    if (before) await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([language, language === 'ar' ? 'rtl' : 'ltr']);
  });
}

test.beforeAll(() => mkdir(folder, { recursive: true }));

for (const [lang, named] of [['fr', 'French'], ['en', 'English'], ['ar', 'Arabic']] as const) {
  test(`every page in ${named}`, { tag: '@tour' }, async () => {
    test.setTimeout(600_000);
    language = lang;
    const said = texts[lang];
    const server = await Server.start();
    const host = await Host.arrive({ language: lang });
    const guest = await Guest.arrive({ language: lang });
    try {
      await host.page.goto(`${server.url}/signin`);
      await expect(host.page.getByRole('button', { name: said.signIn })).toBeVisible();
      await look(host.page, 'sign-in');
      await host.signIn(server);
      await look(host.page, 'meetings');
      await host.page.getByRole('link', { name: host.words.newMeeting }).click();
      await expect(host.page.getByRole('button', { name: host.words.create })).toBeVisible();
      await look(host.page, 'create');
      await host.page.goBack();
      await host.createMeeting(said.title);
      await look(host.page, 'meeting-empty');
      await host.page.getByRole('button', { name: host.words.invite }).click();
      await expect(host.page.getByRole('dialog')).toBeVisible();
      await look(host.page, 'link-dialog');
      await host.page.keyboard.press('Escape');
      const link = await host.invite('Maria Oliveira');
      await look(host.page, 'meeting');

      await guest.open(link);
      await guest.expectHeading(said.title);
      await look(guest.page, 'entry');
      await guest.knock('Maria Oliveira');
      await guest.expectHeading(said.nobody);
      await look(guest.page, 'lobby');
      await guest.page.getByRole('button', { name: guest.words.tryDevices }).click();
      await expectPicture(guest.page, 'GUEST');
      await look(guest.page, 'lobby-devices');

      await host.page.getByRole('link', { name: host.words.open }).click();
      await expect(host.page.getByRole('button', { name: host.words.enter })).toBeVisible();
      await look(host.page, 'door');
      await host.page.goBack();
      await host.enter();
      await host.expectKnock('Maria Oliveira');
      await look(host.page, 'call-lobby');
      await host.admit('Maria Oliveira');
      await Promise.all([expectPicture(host.page, 'GUEST'), expectPicture(guest.page, 'HOST')]);
      await look(host.page, 'call-lobby-empty');
      await host.openPanel('people');
      await expect(host.page.getByRole('complementary').getByText('Maria Oliveira')).toBeVisible();
      await look(host.page, 'call-people');
      await guest.say(said.hello);
      await host.expectMessage(said.hello);
      await look(host.page, 'call-chat');
      await look(guest.page, 'call-guest');
      await host.remove('Maria Oliveira');
      await guest.expectHeading(said.removed);
      await look(guest.page, 'removed');
      await host.endForAll();
      await look(host.page, 'ended');
      await guest.open(`${server.url}/i/${Buffer.alloc(16, 3).toString('base64url')}#${Buffer.alloc(32, 3).toString('base64url')}`);
      await guest.expectHeading(said.unknown);
      await look(guest.page, 'link-unknown');
    } finally {
      await host.leave();
      await guest.leave();
      await server.stop();
    }
  });
}
