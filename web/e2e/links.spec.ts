// Guest links: whom they let in, from which browser, and what hosts do with them.

import { expect, test, type Page } from '@playwright/test';
import { Guest, Host } from './support/people.ts';
import { Server } from './support/server.ts';

interface Knock {
  id: string;
  name: string;
  since: string;
  status: string;
  bound: boolean;
  pin_passed: boolean;
}

let server: Server;
let host: Host;
let guest: Guest;
let other: Guest | undefined;

test.beforeEach(async () => {
  other = undefined;
  server = await Server.start();
  host = await Host.arrive();
  guest = await Guest.arrive();
  await host.signIn(server);
  await host.createMeeting('Coopération');
});

test.afterEach(async () => {
  await host?.leave();
  await guest?.leave();
  await other?.leave();
  await server?.stop();
});

/** The knocks of the meeting, as the server has them. */
async function knocks(): Promise<Knock[]> {
  return (await host.ask<{ knocks: Knock[] }>(`/meetings/${host.meeting}/knocks`)).knocks;
}

const waiting = 'No host has arrived yet';

test('a personal link is for the browser that knocked first: it comes back from any tab, another is told', async () => {
  const link = await host.invite('Maria Oliveira');
  await guest.open(link);
  const idle = await guest.person.context.newPage();
  await idle.goto(link);
  await expect(idle.getByRole('button', { name: guest.words.ask })).toBeEnabled();
  expect(await keys(guest.page), 'a key before the first knock').toBe(0);
  await guest.knock('Maria Oliveira');
  await guest.expectHeading(waiting);
  const [knock] = await knocks();
  expect(knock).toMatchObject({ bound: true, pin_passed: false });
  expect(await keys(guest.page)).toBe(1);

  await test.step('a second tab from before joins the first', async () => {
    await idle.getByLabel(guest.words.yourName).fill('Somebody else');
    await idle.getByRole('button', { name: guest.words.ask }).click();
    await expect(idle.getByRole('heading', { level: 1, name: waiting })).toBeVisible();
    await expect(idle.getByText('Maria Oliveira')).toBeVisible();
    await idle.close();
  });

  await test.step('another browser is told that the link is in use, and disturbs nobody', async () => {
    other = await Guest.arrive();
    await other.open(link);
    await other.expectHeading('This link is already in use elsewhere');
    await expect(other.page.getByText('in use in another browser')).toBeVisible();
    await guest.expectHeading(waiting);
  });

  await test.step('closed and opened again, the browser is where it was', async () => {
    const before = guest.page;
    guest.person.page = await guest.person.context.newPage();
    await before.close();
    await guest.open(link);
    await guest.expectHeading(waiting);
    expect((await knocks()).map(({ id, since, status }) => ({ id, since, status }))).toEqual([{ id: knock?.id, since: knock?.since, status: 'waiting' }]);
  });

  await host.enter();
  await host.admit('Maria Oliveira');
  await guest.expectInCall();
});

test('a browser that keeps nothing gets in from its tab, and the host sees that it is not bound', async () => {
  const link = await host.invite('Maria Oliveira');
  await guest.person.context.addInitScript(() => Object.defineProperty(window, 'indexedDB', { value: undefined }));
  await guest.open(link);
  await guest.knock('Maria Oliveira');
  await guest.expectHeading(waiting);
  await expect(guest.page.getByText('Keep this tab open')).toBeVisible();
  expect(await knocks()).toMatchObject([{ bound: false }]);
  await guest.page.reload();
  await guest.expectHeading(waiting);
  await expect(host.page.getByText('Lié à un seul onglet')).toBeVisible();
  await guest.inSecondTab(async () => {
    await guest.open(link);
    await guest.expectHeading('This link is already in use elsewhere');
  });
});

test('a code is asked for, wrong ones are counted, and it can be pasted as it was shown', async () => {
  const { link, code } = await host.inviteWithCode('Maria Oliveira');
  await guest.open(link);
  const field = guest.page.getByLabel(guest.words.codeOf);
  await expect(field).toBeVisible();
  await guest.knock('Maria Oliveira');
  await expect(guest.page.getByText('This link asks for a PIN')).toBeVisible();
  await expect(field).toBeFocused();

  const wrong = code.startsWith('0') ? '111111' : '000000';
  await field.fill(wrong);
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await expect(guest.page.getByText('This is not the right PIN. 4 tries left.')).toBeVisible();
  expect(await knocks()).toEqual([]);

  // As a mail or a message may bring it: other digits, spaces, marks of direction.
  const arabic = code.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
  await field.fill(`\u200f ${arabic} `);
  await guest.page.getByRole('button', { name: guest.words.ask }).click();
  await guest.expectHeading(waiting);
  expect(await knocks()).toMatchObject([{ pin_passed: true }]);
  const sent = (await guest.watch.texts()).join('\n');
  expect(sent).not.toContain(code.replace(/\D/g, ''));
});

test('a link is issued anew: who came by the old one is out, and the new one is for whoever comes first', async () => {
  const old = await host.invite('Maria Oliveira');
  await guest.open(old);
  await guest.knock('Maria Oliveira');
  await guest.expectHeading(waiting);
  const dialog = await host.aboutLink('Maria Oliveira', host.words.reissue);
  await dialog.getByRole('button', { name: host.words.reissue }).click();
  await dialog.getByRole('button', { name: host.words.copyLink }).click();
  const link = await host.page.evaluate(() => navigator.clipboard.readText());
  expect(link).not.toBe(old);
  await dialog.getByRole('button', { name: host.words.done }).click();
  await guest.expectHeading('This link is no longer valid');

  other = await Guest.arrive();
  await other.open(old);
  await other.expectHeading('This link is no longer valid');
  await other.open(link);
  await other.knock('Maria Oliveira');
  await other.expectHeading(waiting);
  await guest.open('about:blank');
  await guest.open(link);
  await guest.expectHeading('This link is already in use elsewhere');

  const uses = await host.aboutLink('Maria Oliveira', host.words.usedBy);
  await expect(uses.getByRole('listitem')).toHaveCount(2);
  await expect(uses.getByRole('listitem').nth(1)).toContainText('Ancien lien');
});

test('a list of guests is checked line by line, then made as a whole', async () => {
  const choose = async (csv: string) => {
    await host.page.getByRole('dialog').locator('input[type=file]').setInputFiles({ name: 'invités.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  };
  await host.page.getByRole('button', { name: host.words.allLinks }).click();
  await host.page.getByRole('menuitem', { name: host.words.importList }).click();
  const dialog = host.page.getByRole('dialog');
  await choose('Nom;Courriel;Langue;PIN\nInês Duarte;ines@mne.example;pt;oui\nLuc;luc@mne.example;xx-zz-q;peut-être\n');
  await expect(dialog.getByText('Ligne 3, Langue : écrivez une langue')).toBeVisible();
  await expect(dialog.getByText('Ligne 3, PIN : écrivez oui ou non.')).toBeVisible();
  await expect(dialog.getByRole('button', { name: /^Créer/ })).toHaveCount(0);
  await choose('Nom;Courriel;Langue;PIN\nInês Duarte;ines@mne.example;en;oui\nLuc Martin;luc@mne.example;fr;non\nluc martin;luc@mne.example;fr;non\n');
  await expect(dialog.getByText('comme la ligne 3')).toBeVisible();
  await dialog.getByRole('button', { name: 'Créer 2 liens' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(host.page.getByRole('row', { name: /Inês Duarte/ })).toContainText('Code');

  await test.step('invitations hold addresses, codes are apart', async () => {
    const save = async (entry: string): Promise<string> => {
      await host.page.getByRole('button', { name: host.words.allLinks }).click();
      const [file] = await Promise.all([host.page.waitForEvent('download'), host.page.getByRole('menuitem', { name: entry }).click()]);
      const chunks: Buffer[] = [];
      for await (const chunk of await file.createReadStream()) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString();
    };
    const invitations = await save('Exporter les invitations à envoyer');
    const codes = await save('Exporter les codes, à part');
    expect(invitations.match(/\/i\/[\w-]{22}#[\w-]{43}/g)).toHaveLength(2);
    expect(invitations).toContain('Dear Inês Duarte');
    const code = /\d{3}\s\d{3}/.exec(codes)?.[0] ?? 'no code';
    expect(codes).not.toContain('#');
    expect(invitations).not.toContain(code);
    const link = /http\S+#[\w-]{43}/.exec(invitations.slice(invitations.indexOf('Dear')))?.[0] ?? '';
    await guest.open(link);
    await guest.page.getByLabel(guest.words.codeOf).fill(code);
    await guest.page.getByRole('button', { name: guest.words.ask }).click(); // the name is filled in
    await guest.expectHeading(waiting);
  });
});

/** How many keys this browser keeps. */
function keys(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const databases = await indexedDB.databases();
    if (!databases.some((one) => one.name === 'aparte')) return 0;
    return new Promise<number>((resolve, reject) => {
      const opening = indexedDB.open('aparte', 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
      opening.onerror = () => reject(opening.error ?? new Error('no database'));
      opening.onsuccess = () => {
        const count = opening.result.transaction('keys').objectStore('keys').count();
        count.onsuccess = () => {
          opening.result.close();
          resolve(count.result);
        };
      };
    });
  });
}
