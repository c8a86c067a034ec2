// An unmodified livekit-client, from npm, in real browsers, in both of its
// peer-connection modes, against the integration rooms (API key of --dev).

import { expect, test } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { expectPicture, expectVoice, marks, received } from './support/media.ts';
import { Host } from './support/people.ts';
import { SDKClient, SDKPage, sdkToken } from './support/sdk.ts';
import { Server } from './support/server.ts';

let server: Server;
let page: SDKPage;

test.beforeAll(async () => {
  server = await Server.start();
  page = await SDKPage.serve();
});

test.afterAll(async () => {
  page.close();
  await server.stop();
});

for (const mode of [
  { name: 'one peer connection (v1)', singlePeerConnection: true, path: '/rtc/v1' },
  { name: 'two peer connections (v0)', singlePeerConnection: false, path: '/rtc' },
]) {
  test.describe(mode.name, () => {
    const room = `sdk-${mode.singlePeerConnection ? 'single' : 'dual'}`;
    let anna: SDKClient;
    let boris: SDKClient;
    const sockets: string[] = [];

    // The tests below go on with the same call, in this order.
    test.describe.configure({ mode: 'serial' });

    test.beforeAll(async () => {
      anna = await SDKClient.open(page, { side: 'HOST' });
      boris = await SDKClient.open(page, { side: 'GUEST' });
      anna.page.on('websocket', (socket) => sockets.push(new URL(socket.url()).pathname));
    });

    test.afterAll(async () => {
      await anna?.leave();
      await boris?.leave();
    });

    test('both publish and both see and hear the other', proves('chromium', 'signal-first', 'pc-connect-time', 'sub-auto', 'sub-speakers', mode.singlePeerConnection ? 'pc-single-client-offers' : 'pc-dual-first-offer'), async () => {
      const options = { singlePeerConnection: mode.singlePeerConnection };
      await anna.connect(server.url, sdkToken({ room, identity: 'anna' }), options);
      await anna.publishCameraAndMicrophone();
      await boris.connect(server.url, sdkToken({ room, identity: 'boris' }), options);
      await boris.publishCameraAndMicrophone();
      expect(sockets).toEqual([mode.path]);
      expect((await received(anna.page)).connections, 'peer connections').toBe(mode.singlePeerConnection ? 1 : 2);

      await Promise.all([expectPicture(anna.page, 'GUEST'), expectPicture(boris.page, 'HOST')]);
      await Promise.all([expectVoice(anna.page), expectVoice(boris.page)]);
      await anna.expectSeen('speaking:boris');
      await boris.expectSeen('speaking:anna');
      expect((await anna.seen()).filter((event) => event.startsWith('participantConnected'))).toEqual(['participantConnected:boris']);
    });

    test('the publisher sends simulcast layers and setVideoQuality switches between them', proves('chromium', 'pub-simulcast', 'pub-layers', 'sub-layers'), async () => {
      const layers = await anna.page.evaluate(() => {
        const track = window.room.localParticipant.getTrackPublication(window.LivekitClient.Track.Source.Camera)?.track;
        return track?.sender?.getParameters().encodings.map((encoding) => encoding.rid);
      });
      expect(layers).toEqual(['q', 'h']);
      const wish = (quality: 'LOW' | 'HIGH') =>
        boris.page.evaluate((quality) => {
          const { VideoQuality, Track } = window.LivekitClient;
          window.room.remoteParticipants.get('anna')?.getTrackPublication(Track.Source.Camera)?.setVideoQuality(VideoQuality[quality]);
        }, quality);
      for (const [quality, width] of [['LOW', 320], ['HIGH', 640], ['LOW', 320]] as const) {
        await wish(quality);
        await expect.poll(() => boris.remoteWidth(), { message: `width at ${quality}`, timeout: 30_000 }).toBe(width);
        await expectPicture(boris.page, 'HOST');
      }
      await wish('HIGH');
    });

    test('reliable data arrives whole and in order, both ways', proves('chromium', 'data-order'), async () => {
      const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`);
      const send = (client: SDKClient) =>
        client.page.evaluate(async (texts) => {
          for (const text of texts) await window.room.localParticipant.publishData(new TextEncoder().encode(text), { reliable: true });
        }, texts);
      await Promise.all([send(anna), send(boris)]);
      await expect.poll(async () => (await anna.texts()).length, { timeout: 30_000 }).toBe(texts.length);
      await expect.poll(async () => (await boris.texts()).length, { timeout: 30_000 }).toBe(texts.length);
      expect(await anna.texts()).toEqual(texts);
      expect(await boris.texts()).toEqual(texts);
    });

    test('a text stream, short or long, arrives whole, both ways', proves('chromium', 'data-streams'), async () => {
      const texts = ['Bonjour', 'é'.repeat(40_000)];
      for (const [from, to] of [[anna, boris], [boris, anna]] as const) {
        const before = (await to.texts()).length;
        await from.page.evaluate(async (texts) => {
          for (const text of texts) await window.room.localParticipant.sendText(text, { topic: 'chat' });
        }, texts);
        await expect.poll(async () => (await to.texts()).slice(before), { timeout: 30_000 }).toEqual(texts);
      }
    });

    test('muting and unmuting is told to the other side, and the picture comes back', proves('chromium', 'pub-mute'), async () => {
      await anna.page.evaluate(() => window.room.localParticipant.setCameraEnabled(false));
      await boris.expectSeen('trackMuted:anna/video');
      await anna.page.evaluate(() => window.room.localParticipant.setCameraEnabled(true));
      await boris.expectSeen('trackUnmuted:anna/video');
      await expectPicture(boris.page, 'HOST');
    });

    test('a lost signal connection resumes: same tracks, media goes on', proves('chromium', 'resume-media'), async () => {
      const before = (await anna.seen()).length;
      await anna.page.evaluate(() => window.room.simulateScenario('signal-reconnect'));
      await anna.expectSeen('reconnected');
      const since = (await anna.seen()).slice(before);
      expect(since).not.toContain('trackUnsubscribed:boris/video');
      expect(since.some((event) => event.startsWith('disconnected'))).toBe(false);
      expect(await boris.seen()).not.toContain('participantDisconnected:anna');
      await Promise.all([expectPicture(anna.page, 'GUEST'), expectPicture(boris.page, 'HOST')]);
      await Promise.all([expectVoice(anna.page), expectVoice(boris.page)]);
    });

    test('after a full reconnect both see each other again', proves('chromium', 'full-reconnect'), async () => {
      const times = (await anna.seen()).filter((event) => event === 'reconnected').length;
      await anna.page.evaluate(() => window.room.simulateScenario('full-reconnect'));
      await anna.expectSeen('reconnected', times + 1);
      await Promise.all([expectPicture(anna.page, 'GUEST'), expectPicture(boris.page, 'HOST')]);
    });

    test('unpublishing and republishing: the picture goes and comes', proves('chromium', 'pub-unpublish', 'pub-republish'), async () => {
      await anna.page.evaluate(async () => {
        const { Track } = window.LivekitClient;
        const track = window.room.localParticipant.getTrackPublication(Track.Source.Camera)?.track;
        if (track) await window.room.localParticipant.unpublishTrack(track);
      });
      await expect.poll(async () => (await marks(boris.page)).length, { timeout: 30_000 }).toBe(0);
      await anna.page.evaluate(() => window.room.localParticipant.setCameraEnabled(true));
      await expectPicture(boris.page, 'HOST');
    });

    test('a crowd comes later: every picture of four more participants arrives, and goes with them', proves('chromium', 'pub-many', ...(mode.singlePeerConnection ? ['pc-single-missing'] : [])), async () => {
      const crowd = await SDKClient.open(page, { side: 'OTHER' });
      const tokens = [1, 2, 3, 4].map((n) => sdkToken({ room, identity: `crowd-${n}`, canSubscribe: false }));
      await crowd.page.evaluate(
        async ([url, tokens, options]) => {
          const { Room, LocalVideoTrack } = window.LivekitClient;
          const camera = (await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 180 } })).getVideoTracks()[0];
          window.crowd = [];
          for (const token of tokens) {
            const one = new Room(options);
            window.crowd.push(one);
            await one.connect(url, token);
            if (camera) await one.localParticipant.publishTrack(new LocalVideoTrack(camera.clone()), { simulcast: false });
          }
        },
        [server.url, tokens, { singlePeerConnection: mode.singlePeerConnection }] as const,
      );
      const others = async (client: SDKClient) => (await marks(client.page)).filter((mark) => mark.side === 'OTHER').length;
      for (const client of [anna, boris]) await expect.poll(() => others(client), { timeout: 60_000 }).toBe(4);
      await Promise.all([expectPicture(anna.page, 'GUEST'), expectPicture(boris.page, 'HOST')]);
      await crowd.page.evaluate(() => Promise.all(window.crowd.map((one) => one.disconnect())));
      await crowd.leave();
      for (const client of [anna, boris]) {
        await client.expectSeen('participantDisconnected:crowd-4');
        await expect.poll(() => others(client), { timeout: 60_000 }).toBe(0);
      }
    });

    test('leaving is told at once', proves('chromium', 'leave-client'), async () => {
      await anna.page.evaluate(() => window.room.disconnect());
      await boris.expectSeen('participantDisconnected:anna');
      await expect.poll(async () => (await marks(boris.page)).length, { timeout: 30_000 }).toBe(0);
    });
  });
}

test('a wrong key, a wrong secret and a token without a room are refused with words', async () => {
  const stranger = await SDKClient.open(page, { side: 'OTHER' });
  try {
    for (const token of [
      sdkToken({ room: 'r', identity: 'x' }, 'devkey', 'not the secret'),
      sdkToken({ room: 'r', identity: 'x' }, 'nokey', 'secret'),
      'not.a.token',
    ]) {
      const refusal = await stranger
        .connect(server.url, token, { singlePeerConnection: true })
        .then(() => 'let in', (error: Error) => error.message);
      expect(refusal).not.toBe('let in');
      const answer = await fetch(`${server.url}/rtc/validate?access_token=${token}`);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect((await answer.text()).length).toBeGreaterThan(5);
    }
  } finally {
    await stranger.leave();
  }
});

test('an API key opens no meeting: a room of the same name is another room', async () => {
  const host = await Host.arrive();
  const stranger = await SDKClient.open(page, { side: 'OTHER' });
  try {
    await host.signIn(server);
    await host.createMeeting('Entre nous');
    const { identity } = await host.enter();
    for (const singlePeerConnection of [true, false]) {
      // Under its own name, and as the host: neither meets, nor ends, the host's own session.
      for (const name of ['stranger', identity]) {
        await stranger.connect(server.url, sdkToken({ room: host.meeting, identity: name }), { singlePeerConnection });
        await stranger.publishCameraAndMicrophone();
        await expect.poll(() => stranger.page.evaluate(() => window.room.localParticipant.trackPublications.size)).toBe(2);
        expect(await stranger.page.evaluate(() => [...window.room.remoteParticipants.keys()]), 'people whom the stranger meets').toEqual([]);
        expect((await stranger.seen()).filter((event) => event.startsWith('participant') || event.startsWith('track'))).toEqual([]);
        await stranger.page.evaluate(() => window.room.disconnect());
      }
    }
    const { present } = await host.ask<{ present: number }>(`/meetings/${host.meeting}`);
    expect(present, 'people in the meeting').toBe(1);
    await host.expectInCall();
    expect(await received(host.page), 'media that reached the host').toMatchObject({ framesDecoded: 0 });
  } finally {
    await host.leave();
    await stranger.leave();
  }
});
