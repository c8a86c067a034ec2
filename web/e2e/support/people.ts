// The people of the journeys, acting through what they can see: headings, buttons, labels.
// The agent reads French and the guest English, so that every journey uses both languages.

import { encode } from 'uqr';
import { expect, type Locator, type Page } from '@playwright/test';
import { Person, type Wish } from './browser.ts';
import type { Server } from './server.ts';
import { Watch } from './watch.ts';

const words = {
  guestName: /nom/i,
  makeLink: /lien/,
  copied: /copié/i,
  done: 'Terminé',
  enter: /Entrer/,
  lift: /Lever/,
  remove: /Retirer/,
};

export class Guest {
  readonly person: Person;
  readonly watch: Watch;

  private constructor(person: Person) {
    this.person = person;
    this.watch = Watch.over(person.context);
  }

  static async arrive(wish: Partial<Wish> = {}): Promise<Guest> {
    return new Guest(await Person.arrive({ side: 'GUEST', ...wish, context: { locale: 'en-GB', ...wish.context } }));
  }

  get page(): Page {
    return this.person.page;
  }

  async open(link: string): Promise<void> {
    await this.page.goto(link);
  }

  /** The page's one heading says what state the visit is in. */
  async expectHeading(text: string | RegExp): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1, name: text })).toBeVisible();
  }

  async knock(name: string): Promise<void> {
    const field = this.page.getByLabel('Your name');
    await field.fill(name);
    await this.page.getByRole('button', { name: 'Ask to enter' }).click();
  }

  /** The lobby session that redeeming the link gave: all that a guest holds before admission. */
  async session(): Promise<string> {
    return (JSON.parse(await this.watch.answer('POST /api/v1/guest/redeem')) as { session: string }).session;
  }

  /** The media token that admission gave. */
  async token(): Promise<string> {
    return (JSON.parse(await this.watch.answer('POST /api/v1/guest/token')) as { token: string }).token;
  }

  /** Every media token that this browser was ever given, over the API or refreshed on the signalling connection. */
  async tokens(): Promise<string[]> {
    const found = (await this.watch.texts()).flatMap((text) => text.match(/eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/g) ?? []);
    return [...new Set(found)];
  }

  /** After a refusal was lifted: knocks again from whatever page the visit is on. */
  async askAgain(name: string): Promise<void> {
    const ask = this.page.getByRole('button', { name: 'Ask to enter' });
    await expect(ask).toBeEnabled();
    const field = this.page.getByLabel('Your name');
    if (await field.isVisible()) await field.fill(name);
    await ask.click();
  }

  async expectInCall(): Promise<void> {
    await expect(this.page.getByRole('button', { name: 'Leave', exact: true })).toBeVisible();
  }

  async say(text: string): Promise<void> {
    await write(this.page, { panel: /^Chat/, field: 'Message', text });
  }

  async expectMessage(text: string): Promise<void> {
    await expectWritten(this.page, { panel: /^Chat/, text });
  }

  /**
   * Shares this tab. While it is shared it shows nothing but a code that says
   * OTHER, so that the picture of the screen can be told from the cameras'.
   */
  async shareScreen(): Promise<void> {
    await this.page.getByRole('button', { name: 'Share', exact: true }).click();
    await expect(this.page.getByRole('button', { name: 'Stop sharing' })).toBeVisible();
    await this.page.evaluate(showCode, encode('OTHER-001', { border: 4 }).data);
  }

  async stopSharing(): Promise<void> {
    await this.page.evaluate(() => document.getElementById('shown-code')?.remove());
    await this.page.getByRole('button', { name: 'Stop sharing' }).click();
  }

  /** Does something in another tab of the same browser. */
  async inSecondTab(act: () => Promise<void>): Promise<void> {
    const first = this.person.page;
    this.person.page = await this.person.context.newPage();
    try {
      await act();
    } finally {
      await this.person.page.close();
      this.person.page = first;
    }
  }

  async leave(): Promise<void> {
    await this.person.leave();
  }
}

/** Runs in the page: covers it with a code. */
function showCode(cells: boolean[][]): void {
  const canvas = document.createElement('canvas');
  canvas.id = 'shown-code';
  const size = 16;
  canvas.width = canvas.height = cells.length * size;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas');
  cells.forEach((row, y) => row.forEach((dark, x) => {
    context.fillStyle = dark ? '#000' : '#fff';
    context.fillRect(x * size, y * size, size, size);
  }));
  Object.assign(canvas.style, { position: 'fixed', inset: '0', margin: 'auto', zIndex: '9999', outline: '200vmax solid #fff' });
  document.body.append(canvas);
}

interface Writing {
  panel: RegExp;
  text: string;
}

async function openPanel(page: Page, name: RegExp): Promise<void> {
  const button = page.getByRole('navigation').getByRole('button', { name });
  if ((await button.getAttribute('aria-expanded')) !== 'true') await button.click();
}

async function write(page: Page, { panel, field, text }: Writing & { field: string }): Promise<void> {
  await openPanel(page, panel);
  await page.getByRole('textbox', { name: field }).fill(text);
  await page.getByRole('textbox', { name: field }).press('Enter');
}

async function expectWritten(page: Page, { panel, text }: Writing): Promise<void> {
  await openPanel(page, panel);
  await expect(page.getByRole('log').getByText(text, { exact: true })).toBeVisible();
}

export class Host {
  readonly person: Person;
  readonly watch: Watch;
  /** As others see it. */
  name = '';
  meeting = '';

  private constructor(person: Person) {
    this.person = person;
    this.watch = Watch.over(person.context);
  }

  static async arrive(wish: Partial<Wish> = {}): Promise<Host> {
    const host = new Host(await Person.arrive({ side: 'HOST', ...wish, context: { locale: 'fr-FR', ...wish.context } }));
    await host.person.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    return host;
  }

  get page(): Page {
    return this.person.page;
  }

  async signIn(server: Server): Promise<void> {
    await this.page.goto(server.agentURL);
    await expect(this.page.getByRole('heading', { level: 1, name: 'Mes réunions' })).toBeVisible();
    const session = await this.page.evaluate(async () => (await fetch('/api/v1/session')).json() as Promise<{ account: { name: string } }>);
    this.name = session.account.name;
  }

  /** Calls the API as this agent, with the browser's own cookie. */
  async ask<T>(path: string): Promise<T> {
    return this.page.evaluate(async (path) => (await fetch(`/api/v1${path}`)).json(), path) as Promise<T>;
  }

  /** Makes a meeting for now and stays on its page. */
  async createMeeting(title: string): Promise<void> {
    await this.page.getByRole('link', { name: 'Nouvelle réunion' }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: 'Nouvelle réunion' })).toBeVisible();
    await this.page.getByRole('textbox').first().fill(title);
    await this.page.getByRole('button', { name: 'Créer la réunion' }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: title })).toBeVisible();
    this.meeting = new URL(this.page.url()).pathname.split('/').at(-1) ?? '';
  }

  /** Makes a personal link on the meeting's page and copies it, as one would to put it in a mail. */
  async invite(name: string): Promise<string> {
    await this.page.getByRole('button', { name: 'Inviter une personne' }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel(words.guestName).fill(name);
    await dialog.getByRole('button', { name: words.makeLink }).click();
    await dialog.getByRole('button', { name: 'Copier le lien' }).click();
    await expect(dialog.getByRole('button', { name: words.copied })).toBeVisible();
    const link = await this.page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/i\/[\w-]{22}#[\w-]{43}$/);
    await dialog.getByRole('button', { name: words.done }).click();
    await expect(dialog).toHaveCount(0);
    return link;
  }

  /** Goes from the meeting's page into the call. */
  async enter(): Promise<void> {
    await this.page.getByRole('link', { name: /^(Ouvrir|Rejoindre) la réunion$/ }).click();
    await this.page.getByRole('button', { name: words.enter }).click();
    await this.expectInCall();
    await this.watch.answer(`POST /api/v1/meetings/${this.meeting}/join`);
  }

  async expectInCall(): Promise<void> {
    await expect(this.page.getByRole('button', { name: 'Quitter', exact: true })).toBeVisible();
  }

  /** Opens the lobby and finds the person in it. */
  async expectKnock(name: string): Promise<Locator> {
    await openPanel(this.page, /^Attente/);
    const row = this.page.getByRole('complementary').getByRole('listitem').filter({ hasText: name });
    await expect(row).toBeVisible();
    return row;
  }

  async admit(name: string): Promise<void> {
    await (await this.expectKnock(name)).getByRole('button', { name: /^Faire entrer/ }).click();
  }

  async refuse(name: string): Promise<void> {
    await (await this.expectKnock(name)).getByRole('button', { name: /^Refuser/ }).click();
  }

  /** Allows somebody who was refused or removed to knock again. */
  async lift(name: string): Promise<void> {
    await openPanel(this.page, /^Attente/);
    await this.page.getByRole('complementary').getByRole('listitem').filter({ hasText: name }).getByRole('button', { name: words.lift }).click();
  }

  /** Removes a participant; done when the server has answered. */
  async remove(name: string): Promise<void> {
    await openPanel(this.page, /^Présents/);
    const row = this.page.getByRole('complementary').getByRole('listitem').filter({ hasText: name });
    await row.getByRole('button').click();
    await this.page.getByRole('menuitem').click();
    const answered = this.page.waitForResponse((response) => response.url().endsWith('/remove') && response.request().method() === 'POST');
    await this.page.getByRole('alertdialog').getByRole('button', { name: words.remove }).click();
    expect((await answered).status()).toBe(204);
  }

  async endForAll(): Promise<void> {
    await this.page.getByRole('button', { name: 'Quitter', exact: true }).click();
    await this.page.getByRole('menuitem', { name: 'Terminer pour tous' }).click();
    await this.page.getByRole('alertdialog').getByRole('button', { name: 'Terminer pour tous' }).click();
    await expect(this.page.getByRole('heading', { level: 1, name: 'La réunion est terminée' })).toBeVisible();
  }

  async say(text: string): Promise<void> {
    await write(this.page, { panel: /^Discussion/, field: 'Message', text });
  }

  async expectMessage(text: string): Promise<void> {
    await expectWritten(this.page, { panel: /^Discussion/, text });
  }

  async leave(): Promise<void> {
    await this.person.leave();
  }
}

