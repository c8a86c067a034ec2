// A guest without a mouse, from the link to having left, and what a screen reader is told on both sides on the way.

import { expect, test } from '@playwright/test';
import { expectPicture } from './support/media.ts';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';
import { expectSaid, listen, tabTo } from './support/spoken.ts';

test('a guest comes, talks, leaves and comes back by the keyboard alone', async () => {
  const server = await Server.start();
  const host = await Host.arrive();
  const guest = await Guest.arrive();
  try {
    await listen(host.page.context());
    await listen(guest.page.context());
    await host.signIn(server);
    await host.createMeeting('Coopération consulaire');
    const link = await host.invite('Maria Oliveira');
    await host.enter();
    const { page, words } = guest;
    const keys = page.keyboard;
    const heading = (text: string | RegExp) => page.getByRole('heading', { level: 1, name: text });

    await test.step('the form: in reading order, with a visible focus', async () => {
      await guest.open(link);
      await expect(page.getByRole('button', { name: words.ask })).toBeEnabled();
      await keys.press('Tab');
      await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
      await tabTo(page, page.getByLabel(words.yourName));
      await keys.press('ControlOrMeta+A');
      await keys.type('Maria O.');
      await tabTo(page, page.getByRole('switch', { name: words.camera }));
      await keys.press('Space');
      await expect(page.getByRole('switch', { name: words.camera })).toHaveAttribute('aria-checked', 'true');
      await tabTo(page, page.getByRole('button', { name: words.ask }));
      await keys.press('Enter');
    });

    await test.step('the lobby: the focus is on its heading, the knock is told to the host', async () => {
      await expectSaid(host.page, 'polite: Maria O. demande à entrer.');
      await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
      await tabTo(page, page.getByRole('button', { name: words.tryDevices }));
      await keys.press('Enter');
      await expectPicture(page, 'GUEST');
    });

    await test.step('let in: told at once, also on the other side', async () => {
      await host.admit('Maria O.');
      await expectSaid(page, 'assertive: You are being let in.');
      await expectPicture(page, 'HOST');
      await expectSaid(host.page, /^polite: .*Maria O\. entre dans la réunion\./);
    });

    await test.step('microphone, hand and chat by single keys, none of which fires in a field', async () => {
      const bar = page.getByRole('navigation');
      await expect(bar.getByRole('button', { name: 'Mic on. Turn the mic off' })).toBeVisible();
      await keys.press('m');
      await expect(bar.getByRole('button', { name: 'Mic off. Turn the mic on' })).toBeVisible();
      await keys.press('h');
      await expectSaid(host.page, /^polite: .*Maria O\. lève la main\./);
      await keys.press('h');
      await expect(page.getByRole('heading', { level: 1 }), 'a new screen: its heading').toBeFocused();
      await keys.press('c');
      await expect(page.getByRole('complementary').getByRole('heading', { level: 2 })).toBeFocused();
      await tabTo(page, page.getByRole('textbox', { name: words.message }));
      await keys.type('mhvscp ?');
      await keys.press('Enter');
      await expect(page.getByRole('log').getByText('mhvscp ?')).toBeVisible();
      await expect(bar.getByRole('button', { name: 'Mic off. Turn the mic on' })).toBeVisible();
      await expectSaid(host.page, /^polite: .*Maria O\. a écrit un message\./);
      await keys.press('Escape');
      await expect(page.getByRole('complementary')).toHaveCount(0);
      await expect(page.getByRole('heading', { level: 1 }), 'back to where it was').toBeFocused();
      await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
      await keys.press('p');
      await expect(page.getByRole('complementary').getByRole('heading', { level: 2 })).toBeFocused();
      await keys.press('Escape');
      await expect(bar.getByRole('button', { name: words.people }), 'or to the control of the panel').toBeFocused();
    });

    await test.step('leaves, and comes back', async () => {
      await tabTo(page, page.getByRole('button', { name: words.leave, exact: true }));
      await keys.press('Enter');
      await expect(heading('You left the meeting')).toBeFocused();
      await expectSaid(host.page, /^polite: .*Maria O\. quitte la réunion\./);
      await tabTo(page, page.getByRole('button', { name: 'Return to the meeting' }));
      await keys.press('Enter');
      await expectPicture(page, 'HOST');
    });

    await test.step('removed: told at once, and the focus is on the page that says so', async () => {
      await host.remove('Maria O.');
      await expect(heading('A host removed you from the meeting')).toBeFocused();
    });
  } finally {
    await host.leave();
    await guest.leave();
    await server.stop();
  }
});
