import { expect, it, vi } from 'vitest'
import { newEffects, NoEffect } from './processors'

it('a camera on which the blur cannot be put is let go of', async () => {
  const stop = vi.fn()
  const blur = newEffects(() => undefined).blur(() => 'light', () => undefined)
  const options = { track: { stop } } as unknown as Parameters<typeof blur.init>[0]
  await expect(blur.init(options)).rejects.toBeInstanceOf(NoEffect)
  expect(stop).toHaveBeenCalledOnce()
})
