// What only a browser proves: that it stops encoding what nobody looks at, sends
// sound with redundancy, and publishes a second codec for those who need it. An
// unmodified livekit-client, in both of its peer-connection modes.

import { expect, test, type Page } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { expectPicture, expectVoice } from './support/media.ts';
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

/** The server waits 5 s before it asks for less; the rest is a busy machine. */
const LOWER_LIMIT_MS = 45_000;

/** Which encodings of the camera are on: "q h". */
async function encodings(client: SDKClient): Promise<string> {
  return client.page.evaluate(() => {
    const track = window.room.localParticipant.getTrackPublication(window.LivekitClient.Track.Source.Camera)?.track;
    const active = (sender?: RTCRtpSender) => sender?.getParameters().encodings.filter((one) => one.active).map((one) => one.rid ?? '-') ?? [];
    return active(track?.sender).join(' ');
  });
}

/** Frames encoded so far, by rid. */
async function framesSent(page: Page): Promise<Record<string, number>> {
  return page.evaluate(async () => {
    const frames: Record<string, number> = {};
    const track = window.room.localParticipant.getTrackPublication(window.LivekitClient.Track.Source.Camera)?.track;
    for (const report of (await track?.sender?.getStats())?.values() ?? []) {
      if (report.type === 'outbound-rtp') frames[report.rid ?? '-'] = report.framesEncoded ?? 0;
    }
    return frames;
  });
}

/** Codecs of the pictures that the page sends or receives now, such as "video/VP8": what grows within a second. */
async function codecs(page: Page, type: 'outbound-rtp' | 'inbound-rtp'): Promise<string[]> {
  return page.evaluate(async (type) => {
    const connections = Reflect.get(window, Symbol.for('aparte.test.peerConnections')) as RTCPeerConnection[];
    const packets = async () => {
      const count: Record<string, number> = {};
      for (const connection of connections) {
        const reports = await connection.getStats();
        for (const report of reports.values()) {
          if (report.type !== type || report.kind !== 'video' || !report.codecId) continue;
          const name = String(reports.get(report.codecId)?.mimeType);
          count[name] = (count[name] ?? 0) + (report.packetsSent ?? report.packetsReceived ?? 0);
        }
      }
      return count;
    };
    const before = await packets();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    return Object.entries(await packets()).filter(([name, n]) => n > (before[name] ?? 0)).map(([name]) => name).sort();
  }, type);
}

/** How many Opus frames of the target bitrate fit into what the microphone sends in 20 ms. */
async function framesInAPacket(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const track = window.room.localParticipant.getTrackPublication(window.LivekitClient.Track.Source.Microphone)?.track;
    for (const report of (await track?.sender?.getStats())?.values() ?? []) {
      if (report.type === 'outbound-rtp') return report.bytesSent / report.packetsSent / ((report.targetBitrate * 0.02) / 8);
    }
    return 0;
  });
}

/** boris's wish about anna's camera. */
function wish(boris: SDKClient, wish: 'LOW' | 'HIGH' | 'off' | 'on'): Promise<void> {
  return boris.page.evaluate((wish) => {
    const { VideoQuality, Track } = window.LivekitClient;
    const camera = window.room.remoteParticipants.get('anna')?.getTrackPublication(Track.Source.Camera);
    if (wish === 'LOW' || wish === 'HIGH') camera?.setVideoQuality(VideoQuality[wish]);
    else camera?.setEnabled(wish === 'on');
  }, wish);
}

for (const mode of [
  { name: 'one peer connection (v1)', singlePeerConnection: true },
  { name: 'two peer connections (v0)', singlePeerConnection: false },
]) {
  test.describe(mode.name, () => {
    const room = `dynacast-${mode.singlePeerConnection ? 'single' : 'dual'}`;
    const options = { singlePeerConnection: mode.singlePeerConnection, dynacast: true };
    let anna: SDKClient;
    let boris: SDKClient;

    // The tests below go on with the same call, in this order.
    test.describe.configure({ mode: 'serial' });

    test.beforeAll(async () => {
      anna = await SDKClient.open(page, { side: 'HOST' });
      boris = await SDKClient.open(page, { side: 'GUEST' });
      await anna.connect(server.url, sdkToken({ room, identity: 'anna' }), options);
      await anna.publishCameraAndMicrophone();
    });

    test.afterAll(async () => {
      await anna?.leave();
      await boris?.leave();
    });

    test('nothing is encoded while nobody looks, and at once when somebody comes', proves('chromium', 'sub-dynacast', 'break-dark'), async () => {
      await expect.poll(() => encodings(anna), { timeout: LOWER_LIMIT_MS }).toBe('');
      await boris.connect(server.url, sdkToken({ room, identity: 'boris' }), options);
      await expectPicture(boris.page, 'HOST');
      await expect.poll(() => encodings(anna)).toBe('q h');
    });

    test('the large encoding stops when only the small one is wanted, and comes back', proves('chromium', 'sub-dynacast'), async () => {
      await wish(boris, 'LOW');
      await expect.poll(() => encodings(anna), { timeout: LOWER_LIMIT_MS }).toBe('q');
      // A busy machine has some of it under way when it is told.
      await expect.poll(async () => {
        const before = await framesSent(anna.page);
        await expect.poll(async () => (await framesSent(anna.page))['q'] ?? 0).toBeGreaterThan((before['q'] ?? 0) + 20);
        return ((await framesSent(anna.page))['h'] ?? 0) - (before['h'] ?? 0);
      }, { message: 'frames of the large encoding while there are twenty of the small one', timeout: 30_000 }).toBe(0);
      await expectPicture(boris.page, 'HOST');

      await wish(boris, 'HIGH');
      await expect.poll(() => encodings(anna)).toBe('q h');
      await expect.poll(() => boris.remoteWidth(), { timeout: 30_000 }).toBe(640);
      await expectPicture(boris.page, 'HOST');
    });

    test('a picture that is switched off is not encoded', proves('chromium', 'sub-dynacast'), async () => {
      await wish(boris, 'off');
      await expect.poll(() => encodings(anna), { timeout: LOWER_LIMIT_MS }).toBe('');
      await wish(boris, 'on');
      await expectPicture(boris.page, 'HOST');
    });

    test('what is wanted is told again after a resume', proves('chromium', 'resume-dynacast'), async () => {
      await wish(boris, 'LOW');
      await expect.poll(() => encodings(anna), { timeout: LOWER_LIMIT_MS }).toBe('q');
      await anna.page.evaluate(() => window.room.simulateScenario('signal-reconnect'));
      await anna.expectSeen('reconnected');
      await expectPicture(boris.page, 'HOST');
      expect(await encodings(anna)).toBe('q');
      await wish(boris, 'HIGH');
      await expect.poll(() => encodings(anna)).toBe('q h');
    });

    test('sound travels with redundancy', proves('chromium', 'pub-red'), async () => {
      await expectVoice(boris.page);
      // Chromium's statistics name Opus either way; with RED a packet carries two frames of it.
      await expect.poll(() => framesInAPacket(anna.page)).toBeGreaterThan(1.5);
    });

    for (const codec of ['H264', 'VP9'] as const) {
      test(`who cannot decode ${codec} gets the backup`, proves('chromium', 'pub-backup'), async () => {
        const eve = await SDKClient.open(page, { side: 'OTHER' });
        try {
          await eve.page.evaluate(withoutCodec, codec);
          await anna.page.evaluate(async (codec) => {
            const { BackupCodecPolicy, Track } = window.LivekitClient;
            const { localParticipant } = window.room;
            const camera = localParticipant.getTrackPublication(Track.Source.Camera)?.track;
            if (!camera) throw new Error('no camera');
            await localParticipant.unpublishTrack(camera);
            await localParticipant.setCameraEnabled(true, undefined, {
              videoCodec: codec === 'H264' ? 'h264' : 'vp9',
              backupCodec: { codec: 'vp8' },
              backupCodecPolicy: codec === 'H264' ? BackupCodecPolicy.SIMULCAST : BackupCodecPolicy.REGRESSION,
            });
          }, codec);
          await expectPicture(boris.page, 'HOST');
          await expect.poll(() => codecs(anna.page, 'outbound-rtp')).toEqual([`video/${codec}`]);
          await eve.connect(server.url, sdkToken({ room, identity: 'eve' }), options);
          await expectPicture(eve.page, 'HOST');
          await expect.poll(() => codecs(eve.page, 'inbound-rtp')).toEqual(['video/VP8']);
          await expectPicture(boris.page, 'HOST');
          // Side by side, or everybody moves to the backup and the other is switched off.
          const sent = codec === 'H264' ? ['video/H264', 'video/VP8'] : ['video/VP8'];
          await expect.poll(() => codecs(anna.page, 'outbound-rtp'), { timeout: LOWER_LIMIT_MS }).toEqual(sent);
          await expectPicture(boris.page, 'HOST');
        } finally {
          await eve.leave();
        }
      });
    }
  });
}

/** Runs in the page: its offers and answers do not know the codec. */
function withoutCodec(codec: string): void {
  const forget = (sdp = '') =>
    sdp
      .split(/(?=^m=)/m)
      .map((section) => {
        const numbers = [...section.matchAll(new RegExp(`^a=rtpmap:(\\d+) ${codec}/`, 'gm'))].map((match) => match[1]);
        for (const rtx of section.matchAll(/^a=fmtp:(\d+) apt=(\d+)/gm)) if (numbers.includes(rtx[2])) numbers.push(rtx[1]);
        if (numbers.length === 0) return section;
        return section
          .split('\r\n')
          .filter((line) => !numbers.some((number) => new RegExp(`^a=(rtpmap|fmtp|rtcp-fb):${number} `).test(line)))
          .map((line) => (line.startsWith('m=') ? line.split(' ').filter((word, i) => i < 3 || !numbers.includes(word)).join(' ') : line))
          .join('\r\n');
      })
      .join('');
  for (const name of ['createOffer', 'createAnswer'] as const) {
    const make = RTCPeerConnection.prototype[name] as (this: RTCPeerConnection, options?: RTCOfferOptions) => Promise<RTCSessionDescriptionInit>;
    const made = async function (this: RTCPeerConnection, options?: RTCOfferOptions): Promise<RTCSessionDescriptionInit> {
      const { type, sdp } = await make.call(this, options);
      return { type, sdp: forget(sdp) };
    };
    Reflect.set(RTCPeerConnection.prototype, name, made);
  }
}
