// One person: a Chromium process of their own, with their own camera and microphone files.

import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from '@playwright/test';
import { capture, type Side } from './fixtures.ts';

/** Debian's Chromium, without the shell script around it. */
export const executable = process.env['CHROMIUM'] ?? ['/usr/lib/chromium/chromium', '/usr/bin/chromium'].find((path) => existsSync(path)) ?? 'chromium';

/** What headless Chromium needs to behave like a window that somebody looks at, and to ask nothing of the world outside this machine. */
export const flags = [
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-component-update',
  '--disable-default-apps',
  '--disable-features=OptimizationHints,MediaRouter,WebRtcHideLocalIpsWithMdns,Translate,InitialWebUI,WebUIReloadButton,WebUIToolbar,WebUILocationBar,PreloadTopChromeWebUI,WebUIOmniboxPopup,WebUIOmniboxAimPopup,AimEnabled',
  '--disable-gpu',
  '--disable-quic',
  '--disable-renderer-backgrounding',
  '--disable-sync',
  '--no-first-run',
  '--no-pings',
];

/** What the browser has for a camera and microphone, and what its owner says to the question. */
export type Devices = 'allowed' | 'refused' | 'none' | 'busy';

export interface Wish {
  side: Side;
  devices?: Devices;
  /** Another film for the camera than the side's codes. */
  film?: string;
  /** The page's scripts cannot close a peer connection, as if the client were a hostile one. */
  clings?: boolean;
  /** More Chromium flags. */
  args?: string[];
  context?: BrowserContextOptions;
}

export class Person {
  readonly side: Side;
  readonly browser: Browser;
  readonly context: BrowserContext;
  page: Page;

  private constructor(side: Side, browser: Browser, context: BrowserContext, page: Page) {
    this.side = side;
    this.browser = browser;
    this.context = context;
    this.page = page;
  }

  static async arrive(wish: Wish): Promise<Person> {
    const devices = wish.devices ?? 'allowed';
    const browser = await chromium.launch({
      executablePath: executable,
      args: [...flags, ...(await captureFlags(wish.side, devices, wish.film)), ...(wish.args ?? [])],
    });
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...wish.context });
    await context.addInitScript(keepPeerConnections);
    if (wish.clings) await context.addInitScript(() => (RTCPeerConnection.prototype.close = () => undefined));
    if (devices === 'busy') await context.addInitScript(takeCamera);
    return new Person(wish.side, browser, context, await context.newPage());
  }

  /** Somebody else before the same browser, with the same camera and microphone and nothing else in common. */
  async beside(options: BrowserContextOptions = {}): Promise<Person> {
    const context = await this.browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
    await context.addInitScript(keepPeerConnections);
    return new Person(this.side, this.browser, context, await context.newPage());
  }

  async leave(): Promise<void> {
    await this.browser.close();
  }
}

async function captureFlags(side: Side, devices: Devices, film?: string): Promise<string[]> {
  if (devices === 'none') return ['--use-fake-ui-for-media-stream'];
  const { video, audio } = await capture(side);
  const files = [
    // A shared screen is the sharing tab itself.
    '--use-fake-device-for-media-stream=display-media-type=browser',
    `--use-file-for-fake-video-capture=${film ?? video}`,
    `--use-file-for-fake-audio-capture=${audio}`,
  ];
  return devices === 'refused' ? files : [...files, '--use-fake-ui-for-media-stream'];
}

/**
 * Runs in the page before its scripts: the camera answers as one that another
 * program holds. Chromium's false cameras cannot be taken, so this one lie is told here.
 */
function takeCamera(): void {
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    if (wish?.video) throw new DOMException('Could not start video source', 'NotReadableError');
    return open(wish);
  };
}

/** Runs in the page before its scripts: remembers each RTCPeerConnection, so that a test can ask for its statistics. */
function keepPeerConnections(): void {
  const kept: RTCPeerConnection[] = [];
  Object.defineProperty(window, Symbol.for('aparte.test.peerConnections'), { value: kept });
  if (!('RTCPeerConnection' in window)) return;
  window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
    construct(target, args: ConstructorParameters<typeof RTCPeerConnection>, newTarget) {
      const connection = Reflect.construct(target, args, newTarget) as RTCPeerConnection;
      kept.push(connection);
      return connection;
    },
  });
}
