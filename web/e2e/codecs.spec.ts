// livekit-client publishes each codec as its users do (VP9 and AV1 as SVC, VP8 and
// H264 as simulcast), and a second browser switches between the layers: what it shows
// has the layer's size, goes on moving, and stands still at no switch. VP9 and AV1 as
// simulcast are what other clients send; livekit-client's page is made to.

import { expect, test, type Page } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { SDKClient, SDKPage, sdkToken } from './support/sdk.ts';
import { Server } from './support/server.ts';

declare global {
  interface Window {
    /** The longest time between two decoded pictures, in ms, since it was set to 0. */
    longestPause: number;
    /** The longest time for which the page itself stood still, in ms, since then. */
    longestStop: number;
  }
}

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

const WIDTH = 1280;
const HEIGHT = 720;
const FPS = 15; // three layers of it are encoded and two decoders run, on two cores

type Codec = 'vp8' | 'vp9' | 'av1' | 'h264';

/** Makes one SVC encoding three of simulcast, as server SDKs and native clients may send. */
async function asSimulcast(page: Page): Promise<void> {
  await page.evaluate(() => {
    const original = RTCPeerConnection.prototype.addTransceiver;
    RTCPeerConnection.prototype.addTransceiver = function (track, init) {
      if (typeof track !== 'string' && track.kind === 'video') {
        const encodings = [['q', 4], ['h', 2], ['f', 1]] as const;
        init = { ...init, sendEncodings: encodings.map(([rid, by]) => ({ rid, scaleResolutionDownBy: by, scalabilityMode: 'L1T3', maxBitrate: 1_500_000 / by })) };
      }
      return original.call(this, track, init);
    };
  });
}

/** Publishes a canvas with a bar that runs around: its place is the time. */
async function publish(client: SDKClient, codec: Codec, scalabilityMode?: 'L1T3' | 'L3T3' | 'L3T3_KEY'): Promise<void> {
  await client.page.evaluate(
    async ([codec, scalabilityMode, width, height, fps]) => {
      const { Track } = window.LivekitClient;
      const canvas = Object.assign(document.createElement('canvas'), { width, height });
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no canvas');
      setInterval(() => {
        const second = performance.now() / 1000;
        context.fillStyle = '#204060';
        context.fillRect(0, 0, width, height);
        context.fillStyle = '#fff';
        context.fillRect((((second / 2) % 1) * width * 15) / 16, 0, width / 16, height);
      }, 1000 / fps);
      const track = canvas.captureStream(fps).getVideoTracks()[0];
      if (!track) throw new Error('no track');
      await window.room.localParticipant.publishTrack(track, {
        source: Track.Source.Camera,
        videoCodec: codec,
        backupCodec: false,
        simulcast: true,
        videoEncoding: { maxBitrate: 1_500_000, maxFramerate: fps },
        ...(scalabilityMode ? { scalabilityMode } : {}),
      });
    },
    [codec, scalabilityMode, WIDTH, HEIGHT, FPS] as const,
  );
}

/** Codec and scalability mode that the publisher's encoder really uses. */
async function encoder(client: SDKClient): Promise<{ mimeType: string; modes: (string | undefined)[] }> {
  return client.page.evaluate(async () => {
    const { Track } = window.LivekitClient;
    const sender = window.room.localParticipant.getTrackPublication(Track.Source.Camera)?.track?.sender;
    const stats = [...((await sender?.getStats()) ?? new Map<string, RTCStats>()).values()] as (RTCOutboundRtpStreamStats & { scalabilityMode?: string })[];
    const sent = stats.filter((one) => one.type === 'outbound-rtp');
    const codec = stats.find((one) => one.id === sent[0]?.codecId) as unknown as { mimeType: string } | undefined;
    return { mimeType: codec?.mimeType ?? '', modes: sent.map((one) => one.scalabilityMode) };
  });
}

async function wish(page: Page, quality: 'LOW' | 'MEDIUM' | 'HIGH'): Promise<void> {
  await page.evaluate((quality) => {
    const { VideoQuality, Track } = window.LivekitClient;
    window.room.remoteParticipants.get('anna')?.getTrackPublication(Track.Source.Camera)?.setVideoQuality(VideoQuality[quality]);
  }, quality);
}

interface Received {
  frames: number;
  width: number;
  freezes: number;
  mimeType: string;
}

async function received(page: Page): Promise<Received> {
  return page.evaluate(async () => {
    const { Track } = window.LivekitClient;
    const track = window.room.remoteParticipants.get('anna')?.getTrackPublication(Track.Source.Camera)?.videoTrack;
    const stats = (await (track as InstanceType<typeof window.LivekitClient.RemoteVideoTrack> | undefined)?.getRTCStatsReport()) ?? new Map<string, unknown>();
    for (const one of stats.values() as Iterable<RTCInboundRtpStreamStats>) {
      if (one.type !== 'inbound-rtp') continue;
      const codec = stats.get(one.codecId ?? '') as { mimeType: string } | undefined;
      return { frames: one.framesDecoded ?? 0, width: one.frameWidth ?? 0, freezes: one.freezeCount ?? 0, mimeType: codec?.mimeType ?? '' };
    }
    return { frames: 0, width: 0, freezes: 0, mimeType: '' };
  });
}

/** Watches the pictures as they are shown. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const video = document.querySelector('video');
    let last = performance.now();
    let alive = last;
    window.longestPause = 0;
    window.longestStop = 0;
    setInterval(() => {
      const now = performance.now();
      window.longestStop = Math.max(window.longestStop, now - alive);
      alive = now;
    }, 20);
    const next = (now: number) => {
      window.longestPause = Math.max(window.longestPause, now - last);
      last = now;
      video?.requestVideoFrameCallback(next);
    };
    video?.requestVideoFrameCallback(next);
  });
}

/** Where the white bar of the shown picture is, 0 to 1; -1 when there is none. */
async function bar(page: Page): Promise<number> {
  return page.evaluate(() => {
    const video = document.querySelector('video');
    if (!video || video.videoWidth === 0) return -1;
    const [width, height] = [160, 90];
    const context = new OffscreenCanvas(width, height).getContext('2d');
    if (!context) throw new Error('no canvas');
    context.drawImage(video, 0, 0, width, height);
    const row = context.getImageData(0, height / 2, width, 1).data;
    for (let x = 0; x < width; x++) if ((row[4 * x] ?? 0) > 150) return x / width;
    return -1;
  });
}

/** Waits until the shown picture has the width, and its bar was seen in several places since. */
async function expectMoving(page: Page, width: number): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.querySelector('video')?.videoWidth ?? 0), { message: `width ${width}`, timeout: 60_000 })
    .toBe(width);
  const places = new Set<number>();
  await expect
    .poll(
      async () => {
        const place = await bar(page);
        if (place >= 0) places.add(Math.round(place * 16));
        return places.size;
      },
      { message: `a moving picture of ${width}`, timeout: 60_000, intervals: [100] },
    )
    .toBeGreaterThanOrEqual(4);
}

const rows = { simulcast: ['pub-simulcast-codecs'], svc: ['pub-svc'] };

for (const { codec, mode, modes, dual } of [
  { codec: 'vp8', modes: ['L1T3', 'L1T3', 'L1T3'] },
  { codec: 'h264', modes: ['L1T1', 'L1T1', 'L1T1'] },
  { codec: 'vp9', mode: 'simulcast', modes: ['L1T3', 'L1T3', 'L1T3'] },
  { codec: 'av1', mode: 'simulcast', modes: ['L1T3', 'L1T3', 'L1T3'] },
  { codec: 'vp9', modes: ['L3T3_KEY'] }, // its default
  { codec: 'vp9', mode: 'L3T3', modes: ['L3T3'] },
  { codec: 'av1', modes: ['L3T3_KEY'] },
  { codec: 'av1', mode: 'L3T3', modes: ['L3T3'] },
  { codec: 'av1', modes: ['L3T3_KEY'], dual: true },
] as { codec: Codec; mode?: 'simulcast' | 'L3T3'; modes: string[]; dual?: boolean }[]) {
  const name = `${codec}-${mode ?? 'default'}${dual ? '-dual' : ''}`;
  test(`${name}: the picture follows the quality asked for, up and down, and never stops`, proves('chromium', ...rows[mode === 'simulcast' || codec === 'vp8' || codec === 'h264' ? 'simulcast' : 'svc'], 'sub-switch'), async () => {
    const anna = await SDKClient.open(page, { side: 'HOST' });
    const boris = await SDKClient.open(page, { side: 'GUEST' });
    try {
      const options = { singlePeerConnection: !dual };
      await anna.connect(server.url, sdkToken({ room: name, identity: 'anna' }), options);
      await boris.connect(server.url, sdkToken({ room: name, identity: 'boris' }), options);
      if (mode === 'simulcast') await asSimulcast(anna.page);
      await publish(anna, codec, mode === 'simulcast' ? undefined : mode);
      await expectMoving(boris.page, WIDTH);
      expect(await encoder(anna)).toEqual({ mimeType: `video/${codec.toUpperCase()}`, modes });

      const before = await received(boris.page);
      expect(before.mimeType.toLowerCase()).toBe(`video/${codec}`);
      for (const client of [anna, boris]) await watch(client.page);
      for (const [quality, width] of [['LOW', 320], ['MEDIUM', 640], ['HIGH', 1280], ['LOW', 320], ['HIGH', 1280], ['MEDIUM', 640]] as const) {
        await wish(boris.page, quality);
        await expectMoving(boris.page, width);
      }
      const after = await received(boris.page);
      expect(after.width).toBe(640);
      expect(after.frames).toBeGreaterThan(before.frames + 20);
      // A switch that cuts or loses something stands still until a key frame was asked
      // for again, seconds later; on a quiet machine the longest pause is 0.3 s. On a busy one a
      // whole page may stand still: that is no pause of the picture.
      const pause = await boris.page.evaluate(() => window.longestPause);
      const stop = Math.max(...(await Promise.all([anna, boris].map((client) => client.page.evaluate(() => window.longestStop)))));
      test.info().annotations.push({ type: 'pause', description: `${Math.round(pause)} ms at most, the pages for ${Math.round(stop)} ms, ${after.freezes - before.freezes} freezes in ${after.frames - before.frames} pictures` });
      expect(pause - stop).toBeLessThan(3000);
    } finally {
      await anna.leave();
      await boris.leave();
    }
  });
}
