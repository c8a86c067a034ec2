import { expect, it } from 'vitest'
import { screenShare } from './screenshare'

it('never offers the page of the call itself', () => {
  for (const supported of [{}, { restrictOwnAudio: true }]) expect(screenShare(supported)).toMatchObject({ selfBrowserSurface: 'exclude' })
})

it('takes the sound of a whole screen only where that of the call stays out of it', () => {
  expect(screenShare({})).toMatchObject({ systemAudio: 'exclude', audio: { restrictOwnAudio: false } })
  expect(screenShare({ restrictOwnAudio: true })).toMatchObject({ systemAudio: 'include', audio: { restrictOwnAudio: true } })
})
