// A path between one browser and the server's media that is as narrow as a test wants it: a relay of UDP on loopback with a
// queue, as a router has one. The browser is led to it by the candidates of the server that it is shown.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Page } from '@playwright/test';

/** How long a packet waits before the queue lets it fall. */
const QUEUE_MS = 300;

declare global {
  interface Window {
    mediaPort(port: number): Promise<void>;
    connections: RTCPeerConnection[];
  }
}

export class NarrowPath {
  /** Towards the server, in bit/s; null: as wide as loopback. */
  #rate: number | null = null;
  #free = 0;
  #server = 0;
  #closed = false;
  #toServer = new Map<string, Socket>();
  readonly #entrance: Socket;

  private constructor(entrance: Socket) {
    this.#entrance = entrance.on('message', (packet, from) => this.#up(packet, from));
  }

  static async open(): Promise<NarrowPath> {
    const entrance = createSocket('udp4').bind(0, '127.0.0.1');
    await once(entrance, 'listening');
    return new NarrowPath(entrance);
  }

  /** Before the page opens its call: what it sends goes this way and no other. */
  async lead(page: Page): Promise<void> {
    await page.exposeFunction('mediaPort', (port: number) => void (this.#server = port));
    await page.addInitScript(misled, this.#entrance.address().port);
  }

  /** Carries so many bit/s to the server from now on. */
  carry(rate: number | null): void {
    this.#rate = rate;
    this.#free = Date.now();
  }

  close(): void {
    this.#closed = true;
    this.#entrance.close();
    for (const socket of this.#toServer.values()) socket.close();
  }

  #up(packet: Buffer, from: RemoteInfo): void {
    const key = `${from.address}:${from.port}`;
    const socket = this.#toServer.get(key) ?? createSocket('udp4').on('message', (answer) => this.#entrance.send(answer, from.port, from.address));
    this.#toServer.set(key, socket);
    // The page says where the server is while it begins to look for it.
    if (this.#server === 0) return;
    const on = () => socket.send(packet, this.#server, '127.0.0.1');
    if (this.#rate === null) return on();
    const now = Date.now();
    const wait = Math.max(0, this.#free - now);
    if (wait > QUEUE_MS) return;
    const takes = (packet.length * 8_000) / this.#rate;
    this.#free = now + wait + takes;
    setTimeout(() => this.#closed || on(), wait + takes);
  }
}

/** Runs in the page: the server's media is at another port, and there alone. */
function misled(port: number): void {
  window.connections = [];
  const elsewhere = (line: string): string[] => {
    if (!/^(a=)?candidate:/.test(line)) return [line];
    const parts = line.split(' ');
    if (parts[2]?.toLowerCase() !== 'udp' || parts[4] !== '127.0.0.1') return [];
    void window.mediaPort(Number(parts[5]));
    parts[5] = `${port}`;
    return [parts.join(' ')];
  };
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(config?: RTCConfiguration) {
      super({ ...config, iceServers: [] });
      window.connections.push(this);
    }
    override setConfiguration(config?: RTCConfiguration): void {
      super.setConfiguration({ ...config, iceServers: [] });
    }
    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const lines = description.sdp?.split('\r\n').flatMap(elsewhere);
      return super.setRemoteDescription({ ...description, ...(lines && { sdp: lines.join('\r\n') }) });
    }
    override addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      if (!candidate?.candidate) return super.addIceCandidate(candidate ?? undefined);
      const [line] = elsewhere(candidate.candidate);
      return line === undefined ? Promise.resolve() : super.addIceCandidate({ ...candidate, candidate: line });
    }
  };
}
