// An unmodified livekit-client in Chromium where UDP does not pass: media over TCP, and through the
// relay over TLS, TCP and UDP.

import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { proves } from './support/conformance.ts';
import { Guest } from './support/guest.ts';
import { installLab } from './support/lab.ts';
import { SDKClient, SDKPage } from './support/sdk.ts';
import { Server } from './support/server.ts';

const RED = 0;
const BLUE = 240;

/** What the network lets out. */
interface Passage {
  /** Candidates of the server that are left: by the protocol they name. */
  candidates: 'tcp' | 'udp';
  /** The relay alone, by this of its addresses. */
  relay?: { scheme: string; transport: string };
}

/** Runs in the page: its connections find no other way than the passage. */
function narrow({ candidates, relay }: Passage): void {
  const made: RTCPeerConnection[] = [];
  Object.assign(window, { ways: made });
  const through = (config: RTCConfiguration = {}): RTCConfiguration => {
    if (!relay) return { ...config, iceServers: [] };
    const servers = (config.iceServers ?? []).map((server) => ({
      ...server,
      urls: [server.urls].flat().filter((url) => url.startsWith(relay.scheme) && url.endsWith(`?transport=${relay.transport}`)),
    }));
    return { ...config, iceTransportPolicy: 'relay', iceServers: servers.filter(({ urls }) => urls.length > 0) };
  };
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(config?: RTCConfiguration) {
      super(through(config));
      made.push(this);
    }
    override setConfiguration(config?: RTCConfiguration): void {
      super.setConfiguration(through(config));
    }
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const lines = description.sdp?.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || line.split(' ')[2] === candidates);
      return super.setRemoteDescription({ ...description, ...(lines && { sdp: lines.join('\r\n') }) });
    }
  };
}

/** How the connections of the page go that are up: protocol of the pair, and of the way to the relay. */
async function waysOf(client: SDKClient): Promise<string[]> {
  return client.page.evaluate(async () => {
    const found: string[] = [];
    for (const connection of Reflect.get(window, 'ways') as RTCPeerConnection[]) {
      if (connection.connectionState !== 'connected') continue;
      const reports = await connection.getStats();
      for (const report of reports.values()) {
        if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
        const pair = reports.get(report.selectedCandidatePairId);
        const [local, remote] = [reports.get(pair.localCandidateId), reports.get(pair.remoteCandidateId)];
        found.push(`${local.candidateType}/${local.relayProtocol ?? '-'} to ${remote.protocol}`);
      }
    }
    return found;
  });
}

/** Two see and hear each other through the passage; tells their ways. */
async function meet(server: Server, sdk: SDKPage, passage: Passage, singlePeerConnection: boolean): Promise<string[]> {
  const client = await SDKClient.open(sdk, { side: 'OTHER', args: ['--ignore-certificate-errors'] });
  try {
    await client.page.evaluate(narrow, passage);
    await client.page.evaluate(installLab);
    const room = `ways-${JSON.stringify(passage)}-${singlePeerConnection}`;
    const anna = await new Guest(client.page, 'anna').join(server, room, { singlePeerConnection });
    const boris = await new Guest(client.page, 'boris').join(server, room, { singlePeerConnection });
    await anna.publish('video', RED);
    await anna.publish('audio');
    await boris.publish('video', BLUE);
    await Promise.all([boris.expectPicture('anna', RED), boris.expectVoice('anna'), anna.expectPicture('boris', BLUE)]);
    await anna.say(['over here']);
    await expect.poll(() => boris.texts()).toContain('over here');
    return await waysOf(client);
  } finally {
    await client.leave();
  }
}

const modes = [
  { mode: 'one connection', single: true },
  { mode: 'two connections', single: false },
];

let sdk: SDKPage;

test.beforeAll(async () => {
  sdk = await SDKPage.serve();
});

test.afterAll(() => sdk.close());

test.describe('without UDP', () => {
  let server: Server;

  test.beforeAll(async () => {
    server = await Server.start();
  });

  test.afterAll(() => server.stop());

  for (const { mode, single } of modes) {
    test(`media goes over TCP, ${mode}`, proves('chromium', 'pc-tcp'), async () => {
      const ways = await meet(server, sdk, { candidates: 'tcp' }, single);
      expect(ways.length).toBeGreaterThanOrEqual(2);
      for (const way of ways) expect(way).toMatch(/^(host|prflx)\/- to tcp$/);
    });
  }
});

test.describe('with the relay alone', () => {
  let server: Server;
  let folder: string;

  test.beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'aparte-tls-'));
    const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key],
    ]);
    // A port that is free now, and most probably stays so.
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    socket.close();
    server = await Server.start(['127.0.0.1'], '--tls-cert-file', cert, '--tls-key-file', key, '--turn-udp-port', `${port}`);
  });

  test.afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const [what, relay, protocol] of [
    ['TLS', { scheme: 'turns:', transport: 'tcp' }, 'tls'],
    ['TCP', { scheme: 'turn:', transport: 'tcp' }, 'tcp'],
    ['UDP', { scheme: 'turn:', transport: 'udp' }, 'udp'],
  ] as const) {
    for (const { mode, single } of modes) {
      test(`media goes through it over ${what}, ${mode}`, proves('chromium', 'pc-turn'), async () => {
        const ways = await meet(server, sdk, { candidates: 'udp', relay }, single);
        expect(ways.length).toBeGreaterThanOrEqual(2);
        // Our side of the relay shows clients an address of its own, which makes them "peer reflexive".
        for (const way of ways) expect([`relay/${protocol} to udp`, `prflx/${protocol} to udp`]).toContain(way);
      });
    }
  }
});
