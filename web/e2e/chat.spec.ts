// What people do in a call besides speaking: three of them write, privately too, raise hands, react, and watch one timer.

import { expect, test, type Page } from '@playwright/test';
import { call } from './support/api.ts';
import { Guest, Host } from './support/people.ts';
import { look } from './support/look.ts';
import { Server } from './support/server.ts';
import { expectSaid, listen } from './support/spoken.ts';

let server: Server;
let host: Host;
let maria: Guest;
let luc: Guest;

/** The number of each raised hand as somebody sees it, by name; one's own tile bears no name. */
async function hands(page: Page): Promise<Record<string, string>> {
  return page.locator('.tile').evaluateAll((tiles) =>
    Object.fromEntries(tiles.flatMap((tile) => {
      const number = tile.querySelector('.hand b')?.textContent;
      return number ? [[tile.getAttribute('data-identity') ?? '', number]] : [];
    })));
}

test.beforeEach(async () => {
  server = await Server.start();
  host = await Host.arrive();
  maria = await Guest.arrive({ language: 'fr' });
  luc = await Guest.arrive({ side: 'OTHER' });
  await listen(luc.person.context);
});

test.afterEach(async () => {
  await host?.leave();
  await maria?.leave();
  await luc?.leave();
  await server?.stop();
});

test('chat: private words reach two, hands stand in one order, a reaction is seen, a timer counts down, and a right taken away is missed', async () => {
  await host.signIn(server);
  await host.createMeeting('Coopération consulaire');
  const links = [await host.invite('Maria Oliveira'), await host.invite('Luc Martin')];
  await host.enter();
  for (const [guest, link, name] of [[maria, links[0], 'Maria Oliveira'], [luc, links[1], 'Luc Martin']] as const) {
    await guest.open(link ?? '');
    await guest.expectHeading('Coopération consulaire');
    await guest.knock(name);
    await host.admit(name);
    await guest.expectInCall();
  }
  const everybody = [host, maria, luc];
  const session = await luc.session();

  await test.step('what is for one is read by two, and reaches the third in no packet', async () => {
    await host.say('Bonjour à tous');
    for (const one of [maria, luc]) await one.expectMessage('Bonjour à tous');
    await host.page.getByLabel('À :').selectOption({ label: 'Maria Oliveira' });
    await host.page.getByRole('textbox', { name: 'Écrire un message privé' }).fill('Pour Maria seulement');
    await host.page.keyboard.press('Enter');
    await maria.expectMessage('Pour Maria seulement');
    await expect(maria.page.getByRole('log').getByText('à vous seulement')).toBeVisible();
    await expect(host.page.getByRole('log').getByText('à Maria Oliveira seulement')).toBeVisible();
    await luc.page.getByLabel('To:').selectOption('hosts');
    await luc.page.getByRole('textbox', { name: 'Write a private message' }).fill('For the hosts');
    await luc.page.keyboard.press('Enter');
    await host.expectMessage('For the hosts');
    await luc.expectMessage('For the hosts');
    await expect(luc.page.getByRole('log').getByText('Pour Maria seulement')).toHaveCount(0);
    await expect(maria.page.getByRole('log').getByText('For the hosts')).toHaveCount(0);
    expect((await luc.watch.texts()).some((text) => text.includes('Pour Maria')), 'the private words, in what reached the third').toBe(false);
    await look(host.page, 'call-chat');
  });

  await test.step('a reload loses no message', async () => {
    await luc.page.reload();
    await luc.expectInCall();
    await luc.expectMessage('Bonjour à tous');
    await luc.expectMessage('For the hosts');
    await expect(luc.page.getByRole('log').getByText('Pour Maria seulement')).toHaveCount(0);
  });

  await test.step('hands stand in one order for all, after a reload too', async () => {
    await luc.page.getByRole('navigation').getByRole('button', { name: 'Hand down. Raise hand' }).click();
    await expect(luc.page.getByRole('button', { name: 'Hand raised. Lower hand' })).toBeVisible();
    await maria.page.locator('main').click();
    await maria.page.keyboard.press('h');
    await expect(maria.page.getByRole('button', { name: 'Main levée. Baisser la main' })).toBeVisible();
    await expect.poll(async () => Object.values(await hands(host.page)).sort()).toEqual(['1', '2']);
    const order = await hands(host.page);
    await luc.page.reload();
    await luc.expectInCall();
    for (const one of everybody) await expect.poll(() => hands(one.page), { message: 'the hands on another screen' }).toEqual(order);
    await host.openPanel('people');
    await expect(host.page.getByRole('region', { name: 'Mains levées' }).getByRole('listitem')).toHaveText([/Luc Martin/, /Maria Oliveira/]);
    await look(host.page, 'call-hands');
  });

  await test.step('a host lowers one, takes it back, and lowers all', async () => {
    await host.page.getByRole('button', { name: 'Baisser la main : Luc Martin' }).click();
    await host.page.getByRole('status').getByRole('button', { name: /^Annuler/ }).click();
    await host.page.getByRole('button', { name: 'Baisser toutes les mains' }).click();
    for (const one of everybody) await expect.poll(() => hands(one.page)).toEqual({});
  });

  await test.step('a reaction is seen by all, and goes', async () => {
    await maria.page.getByRole('button', { name: 'Réagir' }).click();
    // It is there for five seconds: the pages note what they show.
    const shown = await Promise.all(everybody.map((one) => one.page.evaluateHandle(() => {
      const all: string[] = [];
      new MutationObserver(() => {
        for (const one of document.querySelectorAll<HTMLElement>('.reaction')) {
          const reaction = one.dataset['reaction'] ?? '';
          if (one.checkVisibility() && !all.includes(reaction)) all.push(reaction);
        }
      }).observe(document, { childList: true, subtree: true, attributes: true });
      return all;
    })));
    await maria.page.getByRole('menuitem', { name: 'Bravo' }).click();
    for (const one of shown) await expect.poll(() => one.jsonValue()).toEqual(['applause']);
    await expectSaid(luc.page, /^polite: .*Maria Oliveira: Well done\./);
    await expect(host.page.locator('.reaction')).toHaveCount(0);
  });

  await test.step('the timer counts down for all, and the host stops it', async () => {
    await host.page.getByRole('button', { name: 'Plus', exact: true }).click();
    await host.page.getByRole('menuitem', { name: 'Minuteur' }).click();
    await host.page.getByLabel('Durée en minutes').fill('2');
    await look(host.page, 'call-timer-dialog');
    await host.page.getByRole('button', { name: 'Mettre en route' }).click();
    for (const one of everybody) await expect(one.page.getByTestId('timer')).toHaveText(/^0[12]:\d\d$/);
    const first = await luc.page.getByTestId('timer').textContent();
    await expect(luc.page.getByTestId('timer')).not.toHaveText(first ?? '');
    await look(host.page, 'call-timer');
    await host.page.getByTestId('timer').click();
    await host.page.getByRole('button', { name: 'Arrêter', exact: true }).click();
    for (const one of everybody) await expect(one.page.getByTestId('timer')).toHaveCount(0);
  });

  await test.step('who may not write any more sees it, and the server refuses', async () => {
    await host.openPanel('people');
    const { participants } = { participants: await hands(host.page) };
    expect(participants).toEqual({});
    const identity = (await host.page.locator('.tile').filter({ hasText: 'Luc Martin' }).getAttribute('data-identity')) ?? '';
    const status = await host.page.evaluate(
      async ([meeting, identity]) => (await fetch(`/api/v1/meetings/${meeting}/participants/${identity}/permissions`, { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"chat":false}' })).status,
      [host.meeting, identity] as const,
    );
    expect(status).toBe(200);
    await luc.openPanel('chat');
    await expect(luc.page.getByText('A host has not opened the chat to you.')).toBeVisible();
    const answer = await call(server.url, 'POST', '/guest/call/messages', { session }, { text: 'quand même' });
    expect(answer.status).toBe(403);
    expect(answer.body['detail']).toContain('right to write');
  });
});
