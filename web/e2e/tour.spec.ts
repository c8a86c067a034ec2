// Every page as a person meets it, in French and English: no accessibility
// finding, nothing to scroll sideways to, and a picture in test-results/pages.
// `make screenshots` takes all sizes and themes, `make test` two of each page.

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';
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

let language = '';

/** Looks at the page as it stands in each view, and leaves it as it was. */
async function look(page: Page, name: string): Promise<void> {
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
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id} (${help}): ${node.html}`));
      expect.soft(found, `accessibility: ${seen}`).toEqual([]);
    }
    if (before) await page.setViewportSize(before);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
  });
}

test.beforeAll(() => mkdir(folder, { recursive: true }));

for (const [lang, named] of [['fr', 'French'], ['en', 'English']] as const) {
  test(`every page in ${named}`, { tag: '@tour' }, async () => {
    test.setTimeout(600_000);
    language = lang;
    const fr = lang === 'fr';
    const server = await Server.start();
    const host = await Host.arrive({ language: lang });
    const guest = await Guest.arrive({ language: lang });
    try {
      await host.page.goto(`${server.url}/signin`);
      await expect(host.page.getByRole('button', { name: fr ? 'Se connecter' : 'Sign in' })).toBeVisible();
      await look(host.page, 'sign-in');
      await host.signIn(server);
      await look(host.page, 'meetings');
      await host.page.getByRole('link', { name: host.words.newMeeting }).click();
      await expect(host.page.getByRole('button', { name: host.words.create })).toBeVisible();
      await look(host.page, 'create');
      await host.page.goBack();
      await host.createMeeting(fr ? 'Coopération consulaire' : 'Consular cooperation');
      await look(host.page, 'meeting-empty');
      await host.page.getByRole('button', { name: host.words.invite }).click();
      await expect(host.page.getByRole('dialog')).toBeVisible();
      await look(host.page, 'link-dialog');
      await host.page.keyboard.press('Escape');
      const link = await host.invite('Maria Oliveira');
      await look(host.page, 'meeting');

      await guest.open(link);
      await guest.expectHeading(/^(Coopération consulaire|Consular cooperation)$/);
      await look(guest.page, 'entry');
      await guest.knock('Maria Oliveira');
      await guest.expectHeading(fr ? 'Aucun hôte n’est encore arrivé' : 'No host has arrived yet');
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
      await look(host.page, 'call-people');
      await guest.say(fr ? 'Bonjour à tous.' : 'Good morning, everyone.');
      await host.expectMessage(fr ? 'Bonjour à tous.' : 'Good morning, everyone.');
      await look(host.page, 'call-chat');
      await look(guest.page, 'call-guest');
      await host.remove('Maria Oliveira');
      await guest.expectHeading(fr ? 'Un hôte vous a retiré de la réunion' : 'A host removed you from the meeting');
      await look(guest.page, 'removed');
      await host.endForAll();
      await look(host.page, 'ended');
      await guest.open(`${server.url}/i/${Buffer.alloc(16, 3).toString('base64url')}#${Buffer.alloc(32, 3).toString('base64url')}`);
      await guest.expectHeading(fr ? 'Ce lien n’est plus valable' : 'This link is no longer valid');
      await look(guest.page, 'link-unknown');
    } finally {
      await host.leave();
      await guest.leave();
      await server.stop();
    }
  });
}
