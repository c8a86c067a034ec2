// The page's armour as the browser sees it. A policy that the client itself offends is either
// too strict for it or hides a mistake: so whoever of the journeys leaves says that nothing did.

import { expect, type BrowserContext } from '@playwright/test';

export class Armour {
  /** What the policy stopped, or would have: directive, what it was, and where. */
  readonly offences: string[] = [];
  /** Addresses of other origins than the page's that were asked. */
  readonly abroad: string[] = [];
  #documents = 0;

  /** Watches every page, frame and worker of a context; call it before there are any. */
  static async over(context: BrowserContext): Promise<Armour> {
    const armour = new Armour();
    await context.exposeBinding(report.binding, (_, what: string) => armour.offences.push(what));
    await context.addInitScript(report);
    // A worker has no document to tell: what it offends stands in the console alone.
    context.on('console', (message) => {
      if (/Content Security Policy|Trusted ?Type|Permissions policy/i.test(message.text())) armour.offences.push(`console: ${message.text()}`);
    });
    context.on('response', (response) => {
      if (response.request().isNavigationRequest() && response.status() < 300) armour.#documents++;
    });
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (!/^(http|ws)s?:$/.test(protocol) || request.isNavigationRequest()) return;
      // A window that a page opens and draws itself (Document Picture-in-Picture) has no address; it is that page's.
      const from = request.frame().url();
      const homes = from === 'about:blank' ? context.pages().map((page) => page.url()) : [from];
      if (!homes.some((home) => new URL(home).origin === origin)) armour.abroad.push(`${request.url()} from ${from}`);
    });
    return armour;
  }

  /** Fails the test, without ending it: what was started still has to be stopped. */
  expectWhole(): void {
    expect.soft(this.#documents, 'documents that were looked at').toBeGreaterThan(0);
    expect.soft(this.offences, 'what the page’s own policy stopped').toEqual([]);
    expect.soft(this.abroad, 'requests to another origin').toEqual([]);
  }
}

/** Runs in the page before its scripts. */
function report(): void {
  document.addEventListener('securitypolicyviolation', (event) => {
    const tell = (window as unknown as Record<string, (what: string) => void>)['aparteTestOffence'];
    tell?.(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample} (${event.sourceFile}:${event.lineNumber})`);
  });
}
report.binding = 'aparteTestOffence';
