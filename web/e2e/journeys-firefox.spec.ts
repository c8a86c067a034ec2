// Journeys 2, 3 and 4 with Firefox ESR on the guest's side: refused, lifted, let in, reloaded, removed.

import { expect, test } from '@playwright/test';
import type { Page } from 'puppeteer-core';
import { launchFirefox, mediaAddresses } from './support/firefox.ts';
import { Host } from './support/people.ts';
import { Server } from './support/server.ts';

/** How long anything may take on two busy cores. */
const LIMIT = { timeout: 60_000 };

const NAME = 'Karim Haddad';

const heading = (page: Page, text: string) =>
  page.waitForFunction((text: string) => [...document.querySelectorAll('h1')].some((one) => one.textContent?.includes(text)), LIMIT, text);

/** Asks to enter; the name stays typed after a refusal was lifted. */
async function knock(page: Page): Promise<void> {
  await page.locator('button[type=submit]').setTimeout(LIMIT.timeout).wait();
  const field = await page.$('input[autocomplete=name]');
  if (field) {
    await field.click({ count: 3 });
    await field.type(NAME);
  }
  await page.locator('button[type=submit]').click();
}

/** A picture of another is shown and moves: three frames of it, one after the other. */
async function expectPicture(page: Page): Promise<void> {
  const moves = () =>
    page.evaluate(async () => {
      const tiles = [...document.querySelectorAll('video')].filter((video) => video.videoWidth > 0);
      const frames = tiles.map(async (video) => {
        for (let n = 0; n < 3; n++) await new Promise((shown) => video.requestVideoFrameCallback(shown));
        return true;
      });
      return Promise.race([...frames, new Promise<boolean>((late) => setTimeout(() => late(false), 2000))]);
    });
  await expect.poll(moves, { message: 'a picture moves in Firefox', ...LIMIT }).toBe(true);
}

test("journeys 2, 3 and 4 in a guest's Firefox", async () => {
  const server = await Server.start(mediaAddresses());
  const host = await Host.arrive();
  const firefox = await launchFirefox();
  try {
    await host.signIn(server);
    await host.createMeeting('Entretien');
    const link = await host.invite(NAME);
    await host.enter();
    const knocks = async () => (await host.ask<{ knocks: { id: string; status: string; since: string }[] }>(`/meetings/${host.meeting}/knocks`)).knocks;
    const page = await firefox.newPage();

    await test.step('refused, and kept out after a reload', async () => {
      await page.goto(link);
      await knock(page);
      await host.refuse(NAME);
      await heading(page, 'Your request was not accepted');
      await page.reload();
      await heading(page, 'Your request was not accepted');
      expect((await knocks()).map((one) => one.status)).toEqual(['denied']);
    });

    await test.step('lifted, knocks again and is let in', async () => {
      await host.lift(NAME);
      await knock(page);
      await host.admit(NAME);
      await expectPicture(page);
    });

    await test.step('a reload, and the link opened again after the tab was closed, lead back into the call without a new knock', async () => {
      const before = await knocks();
      await page.reload();
      await expectPicture(page);
      const again = await firefox.newPage();
      await page.close();
      await again.goto(link);
      await expectPicture(again);
      expect(await knocks()).toEqual(before);

      await host.remove(NAME);
      await heading(again, 'A host removed you from the meeting');
      await again.reload();
      await heading(again, 'A host removed you from the meeting');
    });
  } finally {
    await firefox.close();
    await host.leave();
    await server.stop();
  }
});
