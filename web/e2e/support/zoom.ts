// A laptop at 400 %: 320 x 256 CSS pixels. Whatever a page shows there, nothing is cut and nothing lies to the side; Tab
// comes to every control, arrows to what a menu holds, and each is seen when it has the focus (WCAG 2.2: 1.4.10, 2.4.7, 2.4.11).

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { expect, test, type Page } from '@playwright/test';

export const zoomed = { width: 320, height: 256 };
const folder = path.join(import.meta.dirname, '..', 'test-results', 'zoom');

/** Looks at the page as it stands, and leaves it in its size, with the focus where the walk ended. */
export async function expectWhole(page: Page, name: string): Promise<void> {
  await test.step(name, async () => {
    const before = page.viewportSize();
    await page.setViewportSize(zoomed);
    if (process.env['VIEWS'] === 'all') {
      await mkdir(folder, { recursive: true });
      await page.screenshot({ path: path.join(folder, `${name}.png`) });
    }
    expect.soft(await settled(() => page.evaluate(lost), (found) => found.length === 0), `lost at 400 %: ${name}`).toEqual([]);
    const controls = await page.evaluate(stops);
    expect(controls, `controls of ${name}`).toBeGreaterThan(0);
    const bad = new Set<string>();
    const reached = new Set<number>();
    // In a menu, arrows do what Tab does elsewhere.
    const menu = (await page.getByRole('menu').count()) > 0;
    if (!menu) await page.evaluate(() => document.querySelector('[role=dialog], [role=alertdialog]') || (document.activeElement as HTMLElement | null)?.blur());
    for (let presses = 0; presses < controls + 10 && reached.size < controls; presses++) {
      await page.keyboard.press(menu ? 'ArrowDown' : 'Tab');
      // A menu scrolls after it has moved the focus.
      if (menu) await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
      const at = await settled(() => page.evaluate(standing), (one) => !one || one.wrong.length === 0);
      if (!at) continue;
      if (at.number !== null) reached.add(at.number);
      for (const what of at.wrong) bad.add(`${at.name}: ${what}`);
    }
    expect.soft([...bad], `focus at 400 %: ${name}`).toEqual([]);
    expect.soft(await page.evaluate(missed, [...reached]), `not reached by Tab at 400 %: ${name}`).toEqual([]);
    if (before) await page.setViewportSize(before);
  });
}

/** What has just come or gone is given its time to be laid out, on a busy machine too: looks again before it says that something is wrong. */
async function settled<T>(read: () => Promise<T>, well: (found: T) => boolean): Promise<T> {
  for (let looks = 0; looks < 50; looks++) {
    const found = await read();
    if (well(found)) return found;
    await new Promise((done) => setTimeout(done, 200));
  }
  return read();
}

/** Runs in the page: the text that cannot be scrolled to downwards, or that lies to the side. */
function lost(): string[] {
  const found = new Set<string>();
  const name = (element: Element) => `${element.tagName.toLowerCase()}.${element.className.toString()} "${(element.textContent ?? '').trim().slice(0, 40)}"`;
  const sideways = (element: Element) => element.scrollWidth - element.clientWidth > 1;
  if (sideways(document.documentElement)) found.add(`the page scrolls sideways by ${document.documentElement.scrollWidth - document.documentElement.clientWidth}`);
  const modal = [...document.querySelectorAll('[role=dialog], [role=alertdialog], [role=menu]')].at(-1);
  for (const element of (modal ?? document.body).querySelectorAll('*')) {
    const style = getComputedStyle(element);
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.closest('.vh, .skip, [aria-hidden=true], pre.raw')) continue;
    if (/auto|scroll/.test(style.overflowX) && sideways(element)) found.add(`scrolls sideways: ${name(element)}`);
    if (/hidden|clip/.test(style.overflowX) && style.textOverflow !== 'ellipsis' && sideways(element) && element.matches(':not(.tile, .watermark, .picture)')) found.add(`cut at the side: ${name(element)}`);
    if (![...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '') || element.closest('.tile, .watermark, option, [data-decoration]')) continue;
    element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    if (box.left < -1 || box.right > innerWidth + 1) found.add(`lies to the side: ${name(element)}`);
    if (box.top < -1 && box.height < innerHeight) found.add(`above: ${name(element)}`);
    if (box.bottom > innerHeight + 1 && box.height < innerHeight) found.add(`below: ${name(element)}`);
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement) {
      const over = getComputedStyle(at);
      if (/hidden|clip/.test(over.overflowY)) {
        const around = at.getBoundingClientRect();
        if (at.scrollTop > 0 || box.bottom > around.bottom + 1 || box.top < around.top - 1) found.add(`cut by ${at.tagName.toLowerCase()}.${at.className.toString()}: ${name(element)}`);
      }
    }
  }
  document.documentElement.scrollTop = 0;
  return [...found];
}

/** Runs in the page: numbers what Tab comes to, and counts it. */
function stops(): number {
  const modal = [...document.querySelectorAll('[role=dialog], [role=alertdialog], [role=menu]')].at(-1);
  const radios = new Set<string>();
  let count = 0;
  for (const element of document.querySelectorAll<HTMLElement>('[data-stop]')) delete element.dataset['stop'];
  const menu = modal?.getAttribute('role') === 'menu';
  for (const element of (modal ?? document).querySelectorAll<HTMLElement>(menu ? '[role^=menuitem]' : 'a[href], button, input, select, textarea, summary, [tabindex]')) {
    if ((element.tabIndex < 0 && !menu) || element.matches(':disabled, [inert] *') || !element.checkVisibility({ visibilityProperty: true }) || element.closest('[data-react-aria-hidden], [aria-hidden=true]')) continue;
    if (element instanceof HTMLInputElement && element.type === 'radio') {
      if (radios.has(element.name)) continue;
      radios.add(element.name);
      const group = [...document.getElementsByName(element.name)] as HTMLInputElement[];
      (group.find((one) => one.checked) ?? element).dataset['stop'] = String(count++);
    } else element.dataset['stop'] = String(count++);
  }
  return count;
}

interface Standing { number: number | null; name: string; wrong: string[] }

/** Runs in the page: what has the focus, and what hides it. */
function standing(): Standing | null {
  const element = document.activeElement as HTMLElement | null;
  if (!element || element === document.body) return null;
  const wrong: string[] = [];
  const name = `${element.tagName.toLowerCase()} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}"`;
  // A control that shows nothing of itself has a box around it, such as a radio card.
  const shown = element.matches('input[type=radio], input[type=checkbox]') ? (element.closest('label') ?? element) : element;
  const box = shown.getBoundingClientRect();
  const [width, height] = [innerWidth, innerHeight];
  if (box.left < -1 || box.right > width + 1) wrong.push(`from ${Math.round(box.left)} to ${Math.round(box.right)} of ${width} across`);
  const within = { top: Math.max(box.top, 0), bottom: Math.min(box.bottom, height) };
  if (within.bottom - within.top < Math.min(box.height, 24) - 1) wrong.push(`from ${Math.round(box.top)} to ${Math.round(box.bottom)} of ${height} down`);
  else {
    // Some of it is under nothing else: at its middle, or near its ends.
    const across = Math.min(Math.max(box.left + box.width / 2, 1), width - 1);
    const free = [0.5, 0.2, 0.8].some((part) => {
      const top = document.elementFromPoint(across, within.top + (within.bottom - within.top) * part);
      return top !== null && (shown.contains(top) || top.contains(shown));
    });
    if (!free) wrong.push('under something else');
  }
  let ring = false;
  for (let at: Element | null = element, up = 0; at && up < 3; at = at.parentElement, up++) {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
    ring ||= (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none';
  }
  if (!ring) wrong.push('no ring');
  const { stop } = element.dataset;
  return { number: stop === undefined ? null : Number(stop), name, wrong };
}

/** Runs in the page: what was numbered and not come to. */
function missed(reached: number[]): string[] {
  return [...document.querySelectorAll<HTMLElement>('[data-stop]')]
    .filter((element) => !reached.includes(Number(element.dataset['stop'])))
    .map((element) => `${element.tagName.toLowerCase()}.${element.className.toString()} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}"`);
}
