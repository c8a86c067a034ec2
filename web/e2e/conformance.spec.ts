// An unmodified livekit-client in Chromium: the faults of a server that it does not survive, each
// provoked, and the rows of docs/conformance.json that livekit-client.spec.ts does not show.

import { expect, test } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { Guest } from './support/guest.ts';
import { installLab } from './support/lab.ts';
import { roomService } from './support/roomservice.ts';
import { SDKClient, SDKPage, sdkToken } from './support/sdk.ts';
import { Server } from './support/server.ts';

const RED = 0;
const GREEN = 120;

let server: Server;
let sdk: SDKPage;
let chromium: SDKClient;
/** In a room of its own from beginning to end, with nothing but pings. */
let idle: Guest;

const guest = (name: string) => new Guest(chromium.page, name);

test.beforeAll(async () => {
  server = await Server.start();
  sdk = await SDKPage.serve();
  chromium = await SDKClient.open(sdk, { side: 'OTHER' });
  await chromium.page.evaluate(installLab);
  idle = await guest('idle').join(server, 'idle', { singlePeerConnection: true });
});

test.afterAll(async () => {
  await chromium?.leave();
  sdk.close();
  await server.stop();
});

const modes = [
  { mode: 'one connection', singlePeerConnection: true },
  { mode: 'two connections', singlePeerConnection: false },
];

test('a refused token is told in words, at once and once', proves('chromium', 'break-cors', 'break-refusal'), async () => {
  const sockets: string[] = [];
  const count = (socket: { url(): string }) => void sockets.push(new URL(socket.url()).pathname);
  chromium.page.on('websocket', count);
  for (const { singlePeerConnection } of modes) {
    for (const [token, words] of [
      [sdkToken({ room: 'r', identity: 'x' }, 'devkey', 'wrong'), /invalid token/],
      [sdkToken({ room: 'r', identity: 'x' }, 'nokey'), /unknown API key/],
      [sdkToken({ room: 'r', identity: 'x', roomJoin: false }), /does not allow joining/],
    ] as const) {
      sockets.length = 0;
      const refusal = await chromium.page.evaluate(
        ([url, token, options]) => window.lab.join('refused', url, token, options).then(() => 'let in', (error: Error) => error.message),
        [server.url, token, { singlePeerConnection }] as const,
      );
      expect(refusal).toMatch(words);
      expect(sockets.length, `WebSockets: ${sockets.join(', ')}`).toBeLessThanOrEqual(2);
      expect(await chromium.page.evaluate(() => window.lab.seen('refused'))).not.toContain('reconnecting');
    }
  }
  chromium.page.off('websocket', count);
});

for (const { mode, singlePeerConnection } of modes) {
  test.describe(mode, () => {
    const room = `conformance-${mode}`;
    const wishes = { singlePeerConnection };
    let anna: Guest;
    let boris: Guest;

    // The tests below go on with the same room, in this order.
    test.describe.configure({ mode: 'serial' });

    test('an empty room connects, and publishing is granted at once', proves('chromium', 'break-primary', 'break-permission', 'break-track-published'), async () => {
      anna = await guest(`anna, ${mode}`).join(server, room, wishes);
      const sid = await anna.publish('video', RED);
      expect(sid).toMatch(/^TR_/);
      await anna.publish('audio');
    });

    test('ids and versions are such that tracks are found and remote calls work', proves('chromium', 'break-identity', 'data-rpc'), async () => {
      boris = await guest(`boris, ${mode}`).join(server, room, wishes);
      await Promise.all([boris.expectPicture(anna.name, RED), boris.expectVoice(anna.name)]);
      const answer = await chromium.page.evaluate(async ([anna, boris]) => {
        window.lab.room(anna).registerRpcMethod('greet', async ({ payload, callerIdentity }) => `Bonjour ${payload}, asked by ${callerIdentity}`);
        return window.lab.room(boris).localParticipant.performRpc({ destinationIdentity: anna, method: 'greet', payload: 'Zoé' });
      }, [anna.name, boris.name] as const);
      expect(answer).toBe(`Bonjour Zoé, asked by ${boris.name}`);
      const { sid, participant, version } = await chromium.page.evaluate(async (boris) => {
        const room = window.lab.room(boris);
        return { sid: await room.getSid(), participant: room.localParticipant.sid, version: room.serverInfo?.version ?? '' };
      }, boris.name);
      expect(sid).toMatch(/^RM_/);
      expect(participant).toMatch(/^PA_/);
      expect(version).toMatch(/^(1\.([89]|\d\d)|[2-9])/);
    });

    test('a track that is muted from the start is shown', proves('chromium', 'break-muted', 'pub-before-rtp'), async () => {
      await boris.publish('audio');
      await chromium.page.evaluate(async (boris) => {
        const { Track } = window.LivekitClient;
        const me = window.lab.room(boris).localParticipant;
        await me.getTrackPublication(Track.Source.Microphone)?.mute();
        const picture = document.createElement('canvas');
        picture.getContext('2d')?.fillRect(0, 0, 9, 9);
        const track = picture.captureStream(0).getVideoTracks()[0]; // no frame ever
        if (track) await me.publishTrack(track, { source: Track.Source.ScreenShare, simulcast: false });
        await me.getTrackPublication(Track.Source.ScreenShare)?.mute();
      }, boris.name);
      await anna.expectSeen(`trackMuted:${boris.name}/audio`);
      await anna.expectSeen(`trackMuted:${boris.name}/video`);
      const carol = await guest(`carol, ${mode}`).join(server, room, wishes);
      const known = await chromium.page.evaluate(
        ([carol, boris]) => [...(window.lab.room(carol).remoteParticipants.get(boris)?.trackPublications.values() ?? [])].map((one) => `${one.source} ${one.isMuted}`).sort(),
        [carol.name, boris.name] as const,
      );
      expect(known).toEqual(['microphone true', 'screen_share true']);
      await carol.leave();
    });

    test('everybody who comes at once is seen by everybody', proves('chromium', 'break-order', 'break-sections', 'pub-by-cid'), async () => {
      const crowd = [60, 120, 180, 300].map((hue) => ({ hue, guest: guest(`hue ${hue}, ${mode}`) }));
      await Promise.all(
        crowd.map(async ({ hue, guest }) => {
          await guest.join(server, room, wishes);
          await guest.publish('video', hue);
        }),
      );
      for (const { guest } of crowd) {
        for (const other of crowd) if (other.guest !== guest) await guest.expectPicture(other.guest.name, other.hue);
        await guest.expectPicture(anna.name, RED);
      }
      await Promise.all(crowd.map(({ guest }) => guest.leave()));
      for (const { guest } of crowd) await anna.expectSeen(`participantDisconnected:${guest.name}`);
    });

    test('a resume in a busy room goes through at the first try', proves('chromium', 'break-resume'), async () => {
      await chromium.page.evaluate((anna) => {
        const me = window.lab.room(anna).localParticipant;
        let n = 0;
        const timer = setInterval(() => void me.publishData(new Uint8Array([n++ % 256]), { reliable: true }), 30);
        setTimeout(() => clearInterval(timer), 20_000);
      }, anna.name);
      await boris.scenario('signal-reconnect');
      await boris.expectSeen('reconnected');
      expect((await boris.seen()).filter((event) => event === 'reconnected')).toHaveLength(1);
      await Promise.all([boris.expectPicture(anna.name, RED), boris.expectVoice(anna.name)]);
    });

    test('a picture that nobody wanted for a while comes back', proves('chromium', 'break-dark'), async () => {
      const dora = await guest(`dora, ${mode}`).join(server, room, { ...wishes, dynacast: true });
      await dora.publish('video', GREEN, true);
      await boris.expectPicture(dora.name, GREEN);
      const want = (enabled: boolean) =>
        chromium.page.evaluate(
          ([anna, boris, dora, enabled]) => {
            const { Track } = window.LivekitClient;
            for (const name of [anna, boris]) {
              window.lab.room(name).remoteParticipants.get(dora)?.getTrackPublication(Track.Source.Camera)?.setEnabled(enabled);
            }
          },
          [anna.name, boris.name, dora.name, enabled] as const,
        );
      await want(false);
      await expect.poll(async () => {
        const before = await boris.frames(dora.name);
        await boris.expectVoice(anna.name);
        return (await boris.frames(dora.name)) - before;
      }, { message: 'frames of what was disabled', timeout: 30_000 }).toBe(0);
      await want(true);
      await Promise.all([boris.expectPicture(dora.name, GREEN), anna.expectPicture(dora.name, GREEN)]);
      await dora.leave();
    });

    test('who is replaced stays away', proves('chromium', 'break-kick', 'dup-identity'), async () => {
      await chromium.page.evaluate(
        async ([url, token, wishes]) => window.lab.join('usurper', url, token, wishes),
        [server.url, sdkToken({ room, identity: boris.name }), wishes] as const,
      );
      await boris.expectSeen(`disconnected:${await chromium.page.evaluate(() => window.LivekitClient.DisconnectReason.DUPLICATE_IDENTITY)}`);
      await anna.expectSeen(`participantDisconnected:${boris.name}`);
      await anna.expectSeen(`participantConnected:${boris.name}`, 2);
      await chromium.page.evaluate(() => window.lab.leave('usurper'));
      await anna.expectSeen(`participantDisconnected:${boris.name}`, 2);
      expect(await boris.seen()).not.toContain('reconnecting');
    });

    test('without the right to publish the picture goes, with it it comes', proves('chromium', 'perm-publish'), async () => {
      const erik = await guest(`erik, ${mode}`).join(server, room, wishes);
      await erik.publish('video', GREEN);
      await anna.expectPicture(erik.name, GREEN);
      const allow = (canPublish: boolean) =>
        roomService(server, room, 'UpdateParticipant', { identity: erik.name, permission: { canSubscribe: true, canPublish, canPublishData: true } });
      await allow(false);
      await anna.expectSeen(`trackUnpublished:${erik.name}/video`);
      await erik.expectSeen(`permissions:${erik.name}`);
      await allow(true);
      await erik.expectSeen(`permissions:${erik.name}`, 2);
      expect(await erik.publish('video', GREEN)).toMatch(/^TR_/);
    });

    test('who is removed stays away', proves('chromium', 'break-kick', 'api-remove'), async () => {
      const erik = guest(`erik, ${mode}`);
      await roomService(server, room, 'RemoveParticipant', { identity: erik.name });
      await erik.expectSeen(`disconnected:${await chromium.page.evaluate(() => window.LivekitClient.DisconnectReason.PARTICIPANT_REMOVED)}`);
      await anna.expectSeen(`participantDisconnected:${erik.name}`);
      expect(await erik.seen()).not.toContain('reconnecting');
    });

    test('what was sent is not disturbed by all this', async () => {
      expect((await anna.seen()).filter((event) => /econnect(ing|ed)$|^disconnected/.test(event))).toEqual([]);
      await anna.leave();
    });
  });
}

test('pings keep a connection on which nothing happens', proves('chromium', 'break-pong', 'break-quality'), async () => {
  await idle.publish('audio');
  await chromium.page.evaluate((idle) => window.lab.room(idle).localParticipant.getTrackPublication(window.LivekitClient.Track.Source.Microphone)?.mute(), idle.name);
  // More than the patience of the client's pings, and than it bears to be called lost.
  const began = await chromium.page.evaluate(() => performance.timeOrigin);
  await expect.poll(async () => (await chromium.page.evaluate(() => performance.timeOrigin + performance.now())) - began, { timeout: 60_000 }).toBeGreaterThan(25_000);
  expect((await idle.seen()).filter((event) => /econnect|^disconnected/.test(event))).toEqual([]);
});
