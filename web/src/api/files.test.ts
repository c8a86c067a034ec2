// @vitest-environment happy-dom
import { expect, it } from 'vitest'
import { fileCalls } from './files'

it('a file that was given up before its first byte ends there', async () => {
  const progress = () => { throw new Error('a byte has gone') }
  await expect(fileCalls('/guest/call').send('f1', new Blob(['x']), progress, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' })
})
