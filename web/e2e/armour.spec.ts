// The page's armour, seen from the browsers it is for. That the client's own pages never offend it
// is said by everybody who leaves a journey (support/armour.ts); here is that it holds against others.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@playwright/test';
import { Armour } from './support/armour.ts';
import { Person } from './support/browser.ts';
import { launchFirefox, mediaAddresses } from './support/firefox.ts';
import { Host } from './support/people.ts';
import { Server } from './support/server.ts';

let server: Server;

test.beforeEach(async () => {
  server = await Server.start(mediaAddresses());
});

test.afterEach(async () => {
  await server?.stop();
});

test('no text becomes markup or a script, and the instrument sees each attempt', async () => {
  const person = await Person.arrive({ side: 'OTHER' });
  try {
    const armour = await Armour.over(person.context);
    for (const address of ['/signin', `/i/${'A'.repeat(22)}`, '/nothing', '/recordings/open']) {
      armour.offences.length = 0;
      await person.page.goto(server.url + address);
      await expect(person.page.getByRole('heading', { level: 1 })).toBeVisible();
      const outcomes = await person.page.evaluate(tryInjections);
      const kept = Object.entries(outcomes).filter(([, stopped]) => !stopped);
      expect(kept, `what ${address} let happen`).toEqual([]);
      await expect.poll(() => armour.offences.join('\n')).toMatch(/require-trusted-types-for[\s\S]*trusted-types: trusted-types-policy default/);
      await person.page.evaluate(() => fetch('http://127.0.0.1:9/elsewhere').catch(() => undefined));
      await expect.poll(() => armour.offences.join('\n')).toContain('connect-src: http://127.0.0.1:9');
    }
  } finally {
    await person.leave();
  }
});

test('no other page can put ours in a frame', async () => {
  const evil = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end(`<iframe src="${server.url}/signin"></iframe><iframe src="${server.url}/api/v1/openapi.json"></iframe>`);
  });
  await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  const person = await Person.arrive({ side: 'OTHER' });
  try {
    const refusals: string[] = [];
    person.page.on('console', (message) => refusals.push(message.text()));
    await person.page.goto(`http://127.0.0.1:${(evil.address() as AddressInfo).port}/`);
    await expect.poll(() => refusals.filter((text) => text.includes('frame-ancestors')).length, { message: 'refusals of the browser' }).toBe(2);
    for (const frame of person.page.frames().slice(1)) expect(await frame.content()).not.toMatch(/<main|Aparté/);
  } finally {
    await person.leave();
    evil.close();
  }
});

test('Firefox goes from the link through the lobby into the call', async () => {
  const host = await Host.arrive();
  const firefox = await launchFirefox();
  try {
    await host.signIn(server);
    await host.createMeeting('Coopération consulaire');
    const link = await host.invite('Inês Duarte');
    await host.enter();
    const page = await firefox.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (/Content-Security-Policy|Trusted ?Type/i.test(message.text())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.evaluateOnNewDocument(() => document.addEventListener('securitypolicyviolation', (event) => console.error(`Content-Security-Policy: ${event.effectiveDirective} ${event.blockedURI}`)));
    await page.goto(link);
    await page.locator('input[name=name], input[autocomplete=name], input[type=text]').fill('Inês Duarte');
    await page.locator('button[type=submit]').click();
    await host.admit('Inês Duarte');
    await page.locator('video').wait();
    await host.openPanel('people');
    await expect(host.page.getByRole('complementary').getByText('Inês Duarte')).toBeVisible();
    expect(complaints).toEqual([]);
  } finally {
    await firefox.close();
    await host.leave();
  }
});

/** Runs in the page: says of each attempt whether it was stopped. */
async function tryInjections(): Promise<Record<string, boolean>> {
  const stopped = (attempt: () => unknown): boolean => {
    try {
      attempt();
      return false;
    } catch {
      return true;
    }
  };
  const box = document.createElement('div');
  document.body.append(box);
  const script = document.createElement('script');
  const outcomes: Record<string, boolean> = {
    innerHTML: stopped(() => (box.innerHTML = '<b>hello</b>')),
    outerHTML: stopped(() => (box.outerHTML = '<b>hello</b>')),
    insertAdjacentHTML: stopped(() => box.insertAdjacentHTML('beforeend', '<b>hello</b>')),
    'document.write': stopped(() => document.write('<b>hello</b>')),
    DOMParser: stopped(() => new DOMParser().parseFromString('<b>hello</b>', 'text/html')),
    srcdoc: stopped(() => (document.createElement('iframe').srcdoc = '<b>hello</b>')),
    'script.src': stopped(() => (script.src = '/assets/other.js')),
    'script.text': stopped(() => (script.text = 'window.evil = 1')),
    'a worker from a string': stopped(() => new Worker('/assets/other.js')),
    'a handler in an attribute': stopped(() => box.setAttribute('onclick', 'window.evil = 1')),
    'a policy of its own': stopped(() => (window as unknown as { trustedTypes: { createPolicy(name: string, rules: object): unknown } }).trustedTypes.createPolicy('default', { createHTML: (text: string) => text })),
  };
  const inline = document.createElement('script');
  inline.append('window.evil = 1'); // a text node is no sink; the script is looked at when it enters the page
  document.body.append(inline);
  await new Promise((resolve) => setTimeout(resolve, 0));
  outcomes['an inline script'] = !('evil' in window);
  box.remove();
  return outcomes;
}
