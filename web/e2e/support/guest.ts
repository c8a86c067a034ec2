// One participant of a lab: its page may be Chromium's or Firefox's.

import { expect } from '@playwright/test';
import { sdkToken, type Grants } from './sdk.ts';
import type { Server } from './server.ts';

/** What Playwright's and Puppeteer's pages have in common. */
export interface Ground {
  evaluate<A, R>(work: (argument: A) => R | Promise<R>, argument: A): Promise<R>;
}

/** How long anything may take on two busy cores. */
const LIMIT_MS = 30_000;

export interface Wishes {
  singlePeerConnection: boolean;
  dynacast?: boolean;
  adaptiveStream?: boolean;
  autoSubscribe?: boolean;
}

export class Guest {
  readonly ground: Ground;
  readonly name: string;

  constructor(ground: Ground, name: string) {
    this.ground = ground;
    this.name = name;
  }

  async join(server: Server, room: string, wishes: Wishes, may: Partial<Grants> = {}): Promise<this> {
    const token = sdkToken({ ...may, room, identity: this.name });
    await this.ground.evaluate(([name, url, token, wishes]) => window.lab.join(name, url, token, wishes), [this.name, server.url, token, wishes] as const);
    return this;
  }

  publish(kind: 'video' | 'audio', hue = 0, simulcast = false): Promise<string> {
    return this.ground.evaluate(([name, kind, hue, simulcast]) => window.lab.publish(name, kind, hue, simulcast), [this.name, kind, hue, simulcast] as const);
  }

  seen(): Promise<string[]> {
    return this.ground.evaluate((name) => window.lab.seen(name), this.name);
  }

  texts(): Promise<string[]> {
    return this.ground.evaluate((name) => window.lab.texts(name), this.name);
  }

  async expectSeen(event: string, times = 1): Promise<void> {
    await expect
      .poll(async () => (await this.seen()).filter((one) => one === event).length, { message: `${this.name} sees ${event}`, timeout: LIMIT_MS })
      .toBeGreaterThanOrEqual(times);
  }

  /** Waits until the picture of another has the colour and moves. */
  async expectPicture(of: string, hue: number): Promise<void> {
    await expect
      .poll(
        async () => {
          const got = (await this.ground.evaluate((name) => window.lab.hues(name), this.name))[of];
          return got === undefined ? 'no picture' : Math.abs(((got - hue + 540) % 360) - 180) <= 20 ? 'its colour' : `hue ${got}`;
        },
        { message: `${this.name} sees the picture of ${of}`, timeout: LIMIT_MS },
      )
      .toBe('its colour');
    const before = await this.frames(of);
    await expect.poll(() => this.frames(of), { message: `${this.name} sees ${of} move`, timeout: LIMIT_MS }).toBeGreaterThan(before + 3);
  }

  frames(of: string): Promise<number> {
    return this.ground.evaluate(([name, of]) => window.lab.frames(name, of), [this.name, of] as const);
  }

  /** Waits until more of the sound of another was heard. */
  async expectVoice(of: string): Promise<void> {
    const energy = () => this.ground.evaluate(([name, of]) => window.lab.energy(name, of), [this.name, of] as const);
    const before = await energy();
    await expect.poll(energy, { message: `${this.name} hears ${of}`, timeout: LIMIT_MS }).toBeGreaterThan(before + 0.001);
  }

  async say(texts: string[]): Promise<void> {
    await this.ground.evaluate(async ([name, texts]) => {
      for (const text of texts) await window.lab.room(name).localParticipant.publishData(new TextEncoder().encode(text), { reliable: true });
    }, [this.name, texts] as const);
  }

  async scenario(scenario: 'signal-reconnect' | 'full-reconnect' | 'resume-reconnect' | 'disconnect-signal-on-resume' | 'node-failure' | 'server-leave' | 'leave-full-reconnect'): Promise<void> {
    await this.ground.evaluate(([name, scenario]) => window.lab.room(name).simulateScenario(scenario), [this.name, scenario] as const);
  }

  async leave(): Promise<void> {
    await this.ground.evaluate((name) => window.lab.leave(name), this.name);
  }
}
