// An unmodified livekit-client in Firefox ESR, beside one in Chromium, in both of its
// peer-connection modes: the cases of docs/conformance.json that name firefox.

import { expect, test } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { mediaAddresses, openFirefox, type FirefoxPage } from './support/firefox.ts';
import { Guest } from './support/guest.ts';
import { installLab } from './support/lab.ts';
import { roomService } from './support/roomservice.ts';
import { SDKClient, SDKPage } from './support/sdk.ts';
import { Server } from './support/server.ts';

const RED = 0;
const BLUE = 240;

test.describe.configure({ mode: 'serial' });

let server: Server;
let sdk: SDKPage;
let fox: FirefoxPage;
let chromium: SDKClient;

test.beforeAll(async () => {
  server = await Server.start(mediaAddresses());
  sdk = await SDKPage.serve();
  [fox, chromium] = await Promise.all([openFirefox(sdk), SDKClient.open(sdk, { side: 'OTHER' })]);
  await chromium.page.evaluate(installLab);
});

test.afterAll(async () => {
  await fox?.leave();
  await chromium?.leave();
  sdk.close();
  await server.stop();
});

for (const singlePeerConnection of [true, false]) {
  const mode = singlePeerConnection ? 'one connection' : 'two connections';
  test.describe(mode, () => {
    const room = `firefox-${mode}`;
    const wishes = { singlePeerConnection };
    let renard: Guest;
    let chrome: Guest;

    test('both publish and both see and hear the other', proves('firefox', 'signal-first', 'pc-connect-time', 'sub-auto', 'pub-by-kind', ...(singlePeerConnection ? ['pc-single-client-offers'] : [])), async () => {
      renard = new Guest(fox, `renard, ${mode}`);
      chrome = new Guest(chromium.page, `chrome, ${mode}`);
      const made = await fox.evaluate(() => window.lab.connections(), undefined);
      await renard.join(server, room, wishes);
      await renard.publish('video', RED);
      await renard.publish('audio');
      await chrome.join(server, room, wishes);
      await chrome.publish('video', BLUE);
      await chrome.publish('audio');
      await Promise.all([renard.expectPicture(chrome.name, BLUE), chrome.expectPicture(renard.name, RED)]);
      await Promise.all([renard.expectVoice(chrome.name), chrome.expectVoice(renard.name)]);
      expect((await fox.evaluate(() => window.lab.connections(), undefined)) - made, 'peer connections').toBe(singlePeerConnection ? 1 : 2);
    });

    test('muting and unmuting is shown, and media comes back', proves('firefox', 'pub-mute'), async () => {
      const mute = (kind: 'camera' | 'microphone', muted: boolean) =>
        fox.evaluate(
          async ([name, kind, muted]) => {
            const { Track } = window.LivekitClient;
            const publication = window.lab.room(name).localParticipant.getTrackPublication(kind === 'camera' ? Track.Source.Camera : Track.Source.Microphone);
            await (muted ? publication?.mute() : publication?.unmute());
          },
          [renard.name, kind, muted] as const,
        );
      await mute('microphone', true);
      await chrome.expectSeen(`trackMuted:${renard.name}/audio`);
      await mute('camera', true);
      await chrome.expectSeen(`trackMuted:${renard.name}/video`);
      await mute('camera', false);
      await mute('microphone', false);
      await chrome.expectSeen(`trackUnmuted:${renard.name}/audio`);
      await Promise.all([chrome.expectPicture(renard.name, RED), chrome.expectVoice(renard.name)]);
    });

    test('reliable data arrives whole and in order', proves('firefox', 'data-order'), async () => {
      const texts = Array.from({ length: 100 }, (_, i) => `message ${i}`);
      await Promise.all([renard.say(texts), chrome.say(texts)]);
      for (const guest of [renard, chrome]) await expect.poll(() => guest.texts(), { timeout: 30_000 }).toEqual(texts);
    });

    test('a lost signal connection resumes', proves('firefox', 'resume-media'), async () => {
      await renard.scenario('signal-reconnect');
      await renard.expectSeen('reconnected');
      await Promise.all([renard.expectPicture(chrome.name, BLUE), chrome.expectPicture(renard.name, RED), renard.expectVoice(chrome.name)]);
      for (const guest of [renard, chrome]) expect((await guest.seen()).filter((event) => /Disconnected|Unsubscribed|Unpublished/.test(event))).toEqual([]);
    });

    test('without the right to publish the picture goes, with it it comes', proves('firefox', 'perm-publish'), async () => {
      const allow = (canPublish: boolean) =>
        roomService(server, room, 'UpdateParticipant', { identity: renard.name, permission: { canSubscribe: true, canPublish, canPublishData: true } });
      await allow(false);
      await chrome.expectSeen(`trackUnpublished:${renard.name}/video`);
      await renard.expectSeen(`permissions:${renard.name}`);
      await renard.expectPicture(chrome.name, BLUE);
      await allow(true);
      await renard.expectSeen(`permissions:${renard.name}`, 2);
      await renard.publish('video', RED);
      await renard.publish('audio');
      await Promise.all([chrome.expectPicture(renard.name, RED), chrome.expectVoice(renard.name)]);
    });

    test('after a full reconnect both see each other again', proves('firefox', 'full-reconnect'), async () => {
      await renard.scenario('full-reconnect');
      await renard.expectSeen('reconnected', 2);
      await chrome.expectSeen(`participantDisconnected:${renard.name}`);
      await Promise.all([renard.expectVoice(chrome.name), chrome.expectPicture(renard.name, RED), chrome.expectVoice(renard.name)]);
    });

    test('leaving is told at once', proves('firefox', 'leave-client'), async () => {
      await renard.leave();
      await chrome.expectSeen(`participantDisconnected:${renard.name}`, 2);
      await chrome.leave();
    });
  });
}
