import { expect, it } from 'vitest'
import { defaultPreferences, readPreferences } from './preferences'

it('reads what it wrote, and takes the default for what it does not understand', () => {
  const chosen = { data: 'low', screens: false, talk: 'hold', blur: 'strong', denoise: 'strong', news: 'few', keysOff: ['m', ' '], quiet: ['knock'] } as const
  expect(readPreferences(JSON.stringify(chosen))).toEqual(chosen)
  for (const nonsense of [null, '', '{', '[]', '7', '{"data":"all","talk":1,"screens":"no","blur":true,"denoise":0,"news":[],"keysOff":"m","quiet":{}}']) expect(readPreferences(nonsense)).toEqual(defaultPreferences)
  expect(['true', 'false'].map((was) => readPreferences(`{"denoise":${was}}`).denoise)).toEqual(['browser', 'off']) // when it was a switch
  expect(readPreferences('{"keysOff":["m","z",1],"quiet":["knock","bang"]}')).toEqual({ ...defaultPreferences, keysOff: ['m'], quiet: ['knock'] })
})
