// The people of the journeys, acting through what they can see: headings, buttons, labels.
// By themselves the agent reads French and the guest English, so that every journey uses both languages.

import { expect, type Locator, type Page } from '@playwright/test';
import { encode } from 'uqr';
import { Armour } from './armour.ts';
import { Person, type Wish } from './browser.ts';
import type { Server } from './server.ts';
import { Watch } from './watch.ts';
import { wordsOf, type Language, type Words } from './words.ts';

const locales: Record<Language, string> = { fr: 'fr-FR', en: 'en-GB', ar: 'ar-MA' };

/** Where a guest may sit: before a laptop, or with a phone in the hand. */
export const views: [string, NonNullable<Wish['context']>][] = [
  ['', {}],
  [' on a phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
];

/** What everybody in a call can do. */
class Participant {
  readonly person: Person;
  readonly watch: Watch;
  readonly words: Words;
  readonly #armour: Armour;

  protected constructor(person: Person, language: Language, armour: Armour) {
    this.person = person;
    this.#armour = armour;
    this.watch = Watch.over(person.context);
    this.words = wordsOf[language];
  }

  get page(): Page {
    return this.person.page;
  }

  /** The page's one heading says what state things are in. */
  async expectHeading(text: string | RegExp): Promise<void> {
    await expect(this.page.getByRole('heading', { level: 1, name: text })).toBeVisible();
  }

  /** Before entering: the camera is off unless one asks for it. */
  async wantCamera(): Promise<void> {
    const camera = this.page.getByRole('switch', { name: this.words.camera });
    if ((await camera.getAttribute('aria-checked')) !== 'true') await camera.click();
    await expect(camera).toHaveAttribute('aria-checked', 'true');
  }

  async expectInCall(): Promise<void> {
    await expect(this.page.getByRole('button', { name: this.words.leave, exact: true })).toBeVisible();
  }

  async openPanel(name: 'lobby' | 'people' | 'chat'): Promise<void> {
    const button = this.page.getByRole('navigation').getByRole('button', { name: this.words[name] });
    if ((await button.getAttribute('aria-expanded')) !== 'true') await button.click();
    await expect(this.panel()).toBeVisible();
  }

  protected panel(): Locator {
    return this.page.getByRole('complementary');
  }

  async say(text: string): Promise<void> {
    await this.openPanel('chat');
    const field = this.page.getByRole('textbox', { name: this.words.message });
    await field.fill(text);
    await field.press('Enter');
  }

  async expectMessage(text: string): Promise<void> {
    await this.openPanel('chat');
    await expect(this.page.getByRole('log').getByText(text, { exact: true })).toBeVisible();
  }

  /**
   * Shares this tab. While it is shared it shows nothing but a code that says
   * OTHER, so that the picture of the screen can be told from the cameras'.
   */
  async shareScreen(): Promise<void> {
    await this.page.getByRole('button', { name: this.words.share, exact: true }).click();
    await expect(this.page.getByRole('button', { name: this.words.sharing })).toBeVisible();
    await this.page.evaluate(showCode, encode('OTHER-001', { border: 4 }).data);
  }

  async stopSharing(): Promise<void> {
    await this.page.evaluate(() => document.getElementById('shown-code')?.remove());
    await this.page.getByRole('button', { name: this.words.sharing }).click();
  }

  /** Closes the browser; nothing that it showed may have offended the page's policy. */
  async leave(): Promise<void> {
    await this.person.leave();
    this.#armour.expectWhole();
  }
}

export class Guest extends Participant {
  static async arrive({ language = 'en', ...wish }: Partial<Wish> & { language?: Language } = {}): Promise<Guest> {
    const person = await Person.arrive({ side: 'GUEST', ...wish, context: { locale: locales[language], ...wish.context } });
    return new Guest(person, language, await Armour.over(person.context));
  }

  /** Another guest before the same browser; when one of them leaves, so do all. */
  async beside(language: Language = 'fr'): Promise<Guest> {
    const person = await this.person.beside({ locale: locales[language] });
    return new Guest(person, language, await Armour.over(person.context));
  }

  async open(link: string): Promise<void> {
    await this.page.goto(link);
  }

  /** Asks to enter, meaning to be seen and heard. */
  async knock(name: string): Promise<void> {
    await this.page.getByLabel(this.words.yourName).fill(name);
    await this.wantCamera();
    await this.page.getByRole('button', { name: this.words.ask }).click();
  }

  /** After a refusal was lifted: knocks again from whatever page the visit is on. */
  async askAgain(name: string): Promise<void> {
    const ask = this.page.getByRole('button', { name: this.words.ask });
    await expect(ask).toBeEnabled();
    const field = this.page.getByLabel(this.words.yourName);
    if (await field.isVisible()) await field.fill(name);
    await ask.click();
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
}

export class Host extends Participant {
  /** As others see it. */
  name = '';
  /** Id of the meeting made last. */
  meeting = '';

  static async arrive({ language = 'fr', ...wish }: Partial<Wish> & { language?: Language } = {}): Promise<Host> {
    const person = await Person.arrive({ side: 'HOST', ...wish, context: { locale: locales[language], ...wish.context } });
    await person.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    return new Host(person, language, await Armour.over(person.context));
  }

  async signIn(server: Server): Promise<void> {
    await this.page.goto(server.agentURL);
    await this.expectHeading(this.words.meetings);
    this.name = (await this.ask<{ account: { name: string } }>('/session')).account.name;
  }

  /** Reads from the API as this agent, with the browser's own cookie. */
  async ask<T>(path: string): Promise<T> {
    return this.page.evaluate(async (path) => (await fetch(`/api/v1${path}`)).json(), path) as Promise<T>;
  }

  /** Another agent of the post, invited by this administrator and signed in by the one-time link's code. */
  async colleague(name: string, email: string): Promise<Host> {
    const code = await this.page.evaluate(async (body) => {
      const answer = await fetch('/api/v1/accounts', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
      return new URL(((await answer.json()) as { invite_url: string }).invite_url).hash.slice(1);
    }, JSON.stringify({ name, email }));
    const someone = await Host.arrive({ side: 'OTHER' });
    const home = new URL(this.page.url()).origin;
    const answer = await someone.page.context().request.post(`${home}/api/v1/session/one-time`, { data: { code } });
    expect(answer.status()).toBe(200);
    await someone.page.goto(home);
    someone.name = name;
    return someone;
  }

  /** Makes a meeting for now and stays on its page. */
  async createMeeting(title: string): Promise<void> {
    await this.page.getByRole('link', { name: this.words.newMeeting }).click();
    await this.expectHeading(this.words.newMeeting);
    await this.page.getByLabel(this.words.title).fill(title);
    await this.page.getByRole('button', { name: this.words.create }).click();
    await this.expectHeading(title);
    this.meeting = new URL(this.page.url()).pathname.split('/').at(-1) ?? '';
  }

  /** Makes a personal link on the meeting's page and copies it, as one would to put it in a mail. */
  async invite(name: string): Promise<string> {
    await this.page.getByRole('button', { name: this.words.invite }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel(this.words.guestName).fill(name);
    await dialog.getByRole('button', { name: this.words.makeLink }).click();
    await dialog.getByRole('button', { name: this.words.copyLink }).click();
    await expect(dialog.getByRole('button', { name: this.words.copied })).toBeVisible();
    const link = await this.page.evaluate(() => navigator.clipboard.readText());
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/i\/[\w-]{22}#[\w-]{43}$/);
    await dialog.getByRole('button', { name: this.words.done }).click();
    await expect(dialog).toHaveCount(0);
    return link;
  }

  /** As invite, with a code: its digits as they are shown, to be given by another way. */
  async inviteWithCode(name: string): Promise<{ link: string; code: string }> {
    await this.page.getByRole('button', { name: this.words.invite }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel(this.words.guestName).fill(name);
    await dialog.getByLabel(this.words.withCode).check();
    await dialog.getByRole('button', { name: this.words.makeLink }).click();
    const code = /\d{3}\s\d{3}/.exec((await dialog.locator('.pin-digits').textContent()) ?? '')?.[0] ?? '';
    await dialog.getByRole('button', { name: this.words.copyLink }).click();
    const link = await this.page.evaluate(() => navigator.clipboard.readText());
    expect(link.replace(/\D/g, ''), 'the link holds the code').not.toContain(code.replace(/\D/g, ''));
    await dialog.getByRole('button', { name: this.words.done }).click();
    return { link, code };
  }

  /** Chooses from the menu beside somebody's link on the meeting's page. */
  async aboutLink(name: string, entry: string): Promise<Locator> {
    await this.page.getByRole('button', { name: this.words.moreActions(name) }).click();
    await this.page.getByRole('menuitem', { name: entry }).click();
    return this.page.getByRole('dialog');
  }

  /** Goes from the meeting's page into the call, and says who one is there. */
  async enter(): Promise<{ identity: string; token: string }> {
    await this.page.getByRole('link', { name: this.words.open }).click();
    await this.wantCamera();
    await this.page.getByRole('button', { name: this.words.enter }).click();
    await this.expectInCall();
    return JSON.parse(await this.watch.answer(`POST /api/v1/meetings/${this.meeting}/join`)) as { identity: string; token: string };
  }

  /** Opens the lobby and finds the person in it. */
  async expectKnock(name: string): Promise<Locator> {
    await this.openPanel('lobby');
    const row = this.row(name);
    await expect(row).toBeVisible();
    return row;
  }

  async admit(name: string): Promise<void> {
    await (await this.expectKnock(name)).getByRole('button', { name: this.words.admit }).click();
  }

  async refuse(name: string): Promise<void> {
    await (await this.expectKnock(name)).getByRole('button', { name: this.words.refuse }).click();
  }

  /** Allows somebody who was refused or removed to knock again. */
  async lift(name: string): Promise<void> {
    await this.openPanel('lobby');
    await this.row(name).getByRole('button', { name: this.words.lift }).click();
  }

  /** Removes a participant; done when the server has answered. */
  async remove(name: string): Promise<void> {
    await this.openPanel('people');
    await this.row(name).getByRole('button').click();
    await this.page.getByRole('menuitem', { name: this.words.removeOne }).click();
    const answered = this.page.waitForResponse((response) => response.url().endsWith('/remove') && response.request().method() === 'POST');
    await this.page.getByRole('alertdialog').getByRole('button', { name: this.words.remove }).click();
    expect((await answered).status()).toBe(204);
  }

  async endForAll(): Promise<void> {
    await this.page.getByRole('button', { name: this.words.leave, exact: true }).click();
    await this.page.getByRole('menuitem', { name: this.words.endForAll }).click();
    await this.page.getByRole('alertdialog').getByRole('button', { name: this.words.endForAll }).click();
    await this.expectHeading(this.words.over);
  }

  private row(name: string): Locator {
    return this.panel().getByRole('listitem').filter({ hasText: name });
  }
}

/** Runs in the page: covers it with a code. */
export function showCode(cells: boolean[][]): void {
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
