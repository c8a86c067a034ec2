// What a page says to a screen reader, and where its focus is.

import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

/** Notes everything that the live regions of pages opened from now on say. */
export async function listen(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const said: string[] = [];
    Object.assign(window, { aparteSaid: said });
    const note = (node: Node): void => {
      const region = (node instanceof Element ? node : node.parentElement)?.closest('[aria-live], [role=status], [role=alert], [role=log]');
      if (!region || region.getAttribute('aria-live') === 'off') return;
      const urgent = region.getAttribute('role') === 'alert' || region.getAttribute('aria-live') === 'assertive';
      const text = (node.textContent ?? '').replace(/\s+/g, ' ').trim();
      if (text) said.push(`${urgent ? 'assertive' : 'polite'}: ${text}`);
    };
    new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === 'characterData') note(change.target);
        for (const node of change.addedNodes) note(node);
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
}

/** Waits until the page has said it. text: "polite: …" or "assertive: …", whole or a pattern. */
export async function expectSaid(page: Page, text: string | RegExp): Promise<void> {
  const said = () => page.evaluate(() => (window as unknown as { aparteSaid: string[] }).aparteSaid);
  const heard = (all: string[]) => all.some((one) => (typeof text === 'string' ? one === text : text.test(one)));
  await expect.poll(async () => { const all = await said(); return heard(all) ? 'said' : all; }, { message: `a screen reader hears ${String(text)}` }).toBe('said');
}

/** Goes on by Tab until it stands on the target, as somebody without a mouse does, and sees where that is. */
export async function tabTo(page: Page, target: Locator, most = 40): Promise<void> {
  await expect(target).toBeVisible();
  for (let presses = 0; presses < most; presses++) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      const ring = await target.evaluate((element) => {
        // Some show it on the box around a field.
        for (let at: Element | null = element, up = 0; at && up < 3; at = at.parentElement, up++) {
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
          if ((outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none') return true;
        }
        return false;
      });
      expect(ring, `the focus is seen on ${String(target)}`).toBe(true);
      return;
    }
  }
  throw new Error(`not reached with ${most} presses of Tab: ${String(target)}`);
}
