// @vitest-environment happy-dom
import { act } from 'react'
import { createRoot } from 'react-dom/client'
import { expect, it, vi } from 'vitest'
import { HostChannel } from '@/api'
import { Door } from '@/features/lobby'
import { useHostActs } from './useHostActs'

vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)

it('gives the same acts until one’s part in the meeting changes', async () => {
  const door = new Door('m', new HostChannel('m'))
  const questions = { rights: vi.fn(), ban: vi.fn(), letIn: vi.fn() }
  const given: ReturnType<typeof useHostActs>[] = []
  function Acting({ isMain }: { isMain: boolean }) {
    given.push(useHostActs('m', isMain, door, questions))
    return null
  }
  const root = createRoot(document.createElement('div'))
  for (const isMain of [false, false, true]) await act(async () => Promise.resolve(root.render(<Acting isMain={isMain} />)))
  expect(given[1]?.onOne).toBe(given[0]?.onOne)
  expect(given[1]?.onOne.roles).toBeUndefined()
  expect(given[2]?.onOne.roles).toBeDefined()
})
