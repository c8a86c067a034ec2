// An unmodified livekit-client in a page of its own, as a third party would use it.

import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server as HTTPServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, type Page } from '@playwright/test';
import type * as LiveKit from 'livekit-client';
import { Person, type Wish } from './browser.ts';

declare global {
  interface Window {
    LivekitClient: typeof LiveKit;
    room: LiveKit.Room;
    /** More connections of the same page. */
    crowd: LiveKit.Room[];
    /** Room events in the order they came, as "participantConnected:alice". */
    seen: string[];
    /** Texts received as data, in order. */
    texts: string[];
  }
}

const html = `<!doctype html><html lang="en"><title>livekit-client</title>
<script src="/livekit-client.js"></script><body><main></main>`;

/** Serves the page and the SDK as it came from npm. */
export class SDKPage {
  #http: HTTPServer | undefined;
  url = '';

  static async serve(): Promise<SDKPage> {
    const dist = path.dirname(createRequire(import.meta.url).resolve('livekit-client'));
    const script = await readFile(path.join(dist, 'livekit-client.umd.js'));
    const page = new SDKPage();
    const http = createServer((request, response) => {
      const body = request.url === '/livekit-client.js' ? script : html;
      response.setHeader('content-type', body === script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8').end(body);
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    page.#http = http;
    page.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
    return page;
  }

  close(): void {
    this.#http?.close();
    this.#http?.closeAllConnections();
  }
}

/** Grants of a LiveKit token; what is not named is the protocol's default. */
export interface Grants {
  room: string;
  identity: string;
  canPublish?: boolean;
  canSubscribe?: boolean;
  roomJoin?: boolean;
}

/** A token signed with an API key, as any LiveKit server SDK makes it. */
export function sdkToken({ room, identity, ...may }: Grants, key = 'devkey', secret = 'secret'): string {
  const now = Math.floor(Date.now() / 1000);
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: key, sub: identity, name: identity, nbf: now - 5, exp: now + 600, video: { roomJoin: true, room, ...may } };
  const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
}

/** The room options that the tests vary; the rest are livekit-client's defaults. */
export interface Options {
  singlePeerConnection: boolean;
  dynacast?: boolean;
  publishDefaults?: LiveKit.TrackPublishDefaults;
}

export class SDKClient {
  readonly person: Person;
  private constructor(person: Person) {
    this.person = person;
  }

  static async open(page: SDKPage, wish: Wish): Promise<SDKClient> {
    const person = await Person.arrive(wish);
    await person.page.goto(page.url);
    return new SDKClient(person);
  }

  get page(): Page {
    return this.person.page;
  }

  async connect(serverURL: string, token: string, options: Options): Promise<void> {
    await this.page.evaluate(
      async ([url, token, options]) => {
        const { Room, RoomEvent } = window.LivekitClient;
        const room = new Room(options);
        window.room = room;
        window.seen = [];
        window.texts = [];
        const note = (what: string, who = '') => window.seen.push(who ? `${what}:${who}` : what);
        room
          .on(RoomEvent.ParticipantConnected, (p) => note('participantConnected', p.identity))
          .on(RoomEvent.ParticipantDisconnected, (p) => note('participantDisconnected', p.identity))
          .on(RoomEvent.TrackSubscribed, (track, _publication, p) => {
            note('trackSubscribed', `${p.identity}/${track.kind}`);
            document.querySelector('main')?.append(track.attach());
          })
          .on(RoomEvent.TrackUnsubscribed, (track, _publication, p) => {
            note('trackUnsubscribed', `${p.identity}/${track.kind}`);
            track.detach().forEach((element) => element.remove());
          })
          .on(RoomEvent.TrackMuted, (publication, p) => note('trackMuted', `${p.identity}/${publication.kind}`))
          .on(RoomEvent.TrackUnmuted, (publication, p) => note('trackUnmuted', `${p.identity}/${publication.kind}`))
          .on(RoomEvent.ActiveSpeakersChanged, (speakers) => speakers.forEach((p) => note('speaking', p.identity)))
          .on(RoomEvent.SignalReconnecting, () => note('signalReconnecting'))
          .on(RoomEvent.Reconnecting, () => note('reconnecting'))
          .on(RoomEvent.Reconnected, () => note('reconnected'))
          .on(RoomEvent.Disconnected, (reason) => note('disconnected', String(reason)))
          .on(RoomEvent.DataReceived, (payload) => window.texts.push(new TextDecoder().decode(payload)));
        room.registerTextStreamHandler('chat', async (reader) => void window.texts.push(await reader.readAll()));
        await room.connect(url, token);
      },
      [serverURL, token, options] as const,
    );
  }

  async publishCameraAndMicrophone(): Promise<void> {
    await this.page.evaluate(async () => {
      await window.room.localParticipant.enableCameraAndMicrophone();
    });
  }

  /** Waits until the room event came, counted from the start of the connection. */
  async expectSeen(event: string, times = 1): Promise<void> {
    await expect
      .poll(async () => (await this.seen()).filter((one) => one === event).length, { message: `${event} seen`, timeout: 30_000 })
      .toBeGreaterThanOrEqual(times);
  }

  seen(): Promise<string[]> {
    return this.page.evaluate(() => window.seen);
  }

  texts(): Promise<string[]> {
    return this.page.evaluate(() => window.texts);
  }

  /** Width of the remote picture now being shown. */
  remoteWidth(): Promise<number> {
    return this.page.evaluate(() => document.querySelector('video')?.videoWidth ?? 0);
  }

  async leave(): Promise<void> {
    await this.person.leave();
  }
}
