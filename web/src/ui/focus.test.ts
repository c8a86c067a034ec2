// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { recoverFocus } from './focus'

beforeEach(() => {
  vi.useFakeTimers()
  document.body.innerHTML = '<h1 tabindex="-1"></h1><input><div role="dialog" tabindex="-1"><button></button></div>'
})
afterEach(() => {
  vi.useRealTimers()
  document.body.replaceChildren()
})
const find = (of: string) => document.querySelector<HTMLElement>(of)

it.each([0, 50, 250, 1_500])('the focus of a dialog that is gone %i ms later is recovered, and nobody loses it who has gone on', (after) => {
  for (const goesOn of [false, true]) {
    find('[role="dialog"] button')?.focus()
    recoverFocus()
    vi.advanceTimersByTime(after)
    const dialog = find('[role="dialog"]')
    dialog?.remove()
    if (goesOn) find('input')?.focus()
    vi.advanceTimersByTime(100)
    expect(document.activeElement).toBe(find(goesOn ? 'input' : 'h1'))
    vi.advanceTimersByTime(10_000)
    expect(document.activeElement).toBe(find(goesOn ? 'input' : 'h1'))
    if (dialog) document.body.append(dialog)
  }
})
