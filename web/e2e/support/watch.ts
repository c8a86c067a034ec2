// Everything a browser sent and was given, for saying what it was not given.

import { expect, type BrowserContext, type Page, type Request, type WebSocket } from '@playwright/test';
import { received } from './media.ts';

interface Exchange {
  /** "POST http://…/api/v1/guest/redeem" */
  call: string;
  status: number;
  body: string;
}

export class Watch {
  readonly exchanges: Exchange[] = [];
  readonly sockets: { url: string; received: string[]; binary: number }[] = [];
  readonly requests: Request[] = [];
  readonly #pending = new Set<Promise<void>>();

  /** Watches every page of the context from now on. */
  static over(context: BrowserContext): Watch {
    const watch = new Watch();
    context.on('request', (request) => watch.requests.push(request));
    context.on('response', (response) => {
      const reading = response
        .body()
        .then((body) => body.toString('utf8'), () => '')
        .then((body) => {
          watch.exchanges.push({ call: `${response.request().method()} ${response.url()}`, status: response.status(), body });
        });
      watch.#pending.add(reading);
      void reading.finally(() => watch.#pending.delete(reading));
    });
    const follow = (page: Page) => page.on('websocket', (socket) => watch.#follow(socket));
    context.pages().forEach(follow);
    context.on('page', follow);
    return watch;
  }

  #follow(socket: WebSocket): void {
    const seen = { url: socket.url(), received: [] as string[], binary: 0 };
    this.sockets.push(seen);
    socket.on('framereceived', ({ payload }) => {
      if (typeof payload !== 'string') seen.binary++;
      seen.received.push(typeof payload === 'string' ? payload : payload.toString('latin1'));
    });
  }

  /** The body of the last good answer to a call, such as "POST /api/v1/guest/redeem"; waits for the first one. */
  async answer(call: string): Promise<string> {
    const [method, path] = call.split(' ');
    const find = () =>
      this.exchanges.findLast((exchange) => {
        const [m, url] = exchange.call.split(' ');
        return exchange.status < 300 && m === method && url !== undefined && new URL(url).pathname === path;
      });
    await expect.poll(() => find() !== undefined, { message: `a good answer to ${call}` }).toBe(true);
    return find()?.body ?? '';
  }

  /** Texts that the server sent to the browser over HTTP and WebSockets; scripts and styles left out. */
  async texts(): Promise<string[]> {
    await Promise.all(this.#pending);
    return [
      ...this.exchanges.filter(({ call }) => call.includes('/api/') || call.includes('/rtc')).map(({ body }) => body),
      ...this.sockets.flatMap((socket) => socket.received),
    ];
  }

  /** Every address that was asked, sockets included. */
  addresses(): URL[] {
    return [...this.requests.map((request) => request.url()), ...this.sockets.map((socket) => socket.url)].map((url) => new URL(url));
  }
}

const jwt = /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}/;

/**
 * Says that the guest's browser was given nothing of the meeting so far:
 * no media, no peer connection to get any by, no list of who is in, no token.
 */
export async function expectNothingBeforeAdmission(page: Page, watch: Watch, others: { identities: string[]; names: string[] }): Promise<void> {
  expect(await received(page), 'media that reached the guest').toMatchObject({ connections: 0, packets: 0, framesDecoded: 0, bytes: 0 });
  const media = watch.addresses().filter(({ pathname }) => pathname.startsWith('/rtc'));
  expect(media.map(String), 'calls to the media signalling').toEqual([]);
  const calls = watch.exchanges.filter(({ call }) => call.includes('/api/v1/') && !/\/api\/v1\/guest(\/|$)/.test(new URL(call.split(' ')[1] ?? '').pathname));
  expect(calls.map(({ call, status }) => `${call} → ${status}`), 'calls that only agents have answers to').toEqual([]);
  for (const text of await watch.texts()) {
    expect(text, 'a media token').not.toMatch(jwt);
    expect(text, 'a participant list').not.toMatch(/"participants"|"other_participants"|"otherParticipants"|"identity"/);
    for (const identity of others.identities) expect(text, 'an identity of somebody in the meeting').not.toContain(identity);
    for (const name of others.names) expect(text, 'the name of somebody in the meeting').not.toContain(name);
  }
  expect(watch.sockets.map((socket) => socket.binary).reduce((a, b) => a + b, 0), 'binary frames').toBe(0);
}
