// The contract that the server publishes at /api/v1/openapi.json, which its own tests compare with this file.

import { readFile } from 'node:fs/promises'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, test } from 'vitest'

const contract = new URL('openapi.json', import.meta.url)

async function findings(source: string): Promise<string[]> {
  // Rules of the specification alone; how a contract might be nicer is not asked.
  const config = await createConfig({ rules: { struct: 'error', 'no-unresolved-refs': 'error', 'path-parameters-defined': 'error', 'operation-operationId-unique': 'error', 'no-identical-paths': 'error', 'security-defined': 'off' } })
  const found = await lintFromString({ source, absoluteRef: contract.pathname, config })
  return found.map(({ message, location }) => `${location[0]?.pointer}: ${message}`)
}

test('the contract is OpenAPI 3.1', async () => {
  const source = await readFile(contract, 'utf8')
  expect((JSON.parse(source) as { openapi: string }).openapi).toBe('3.1.0')
  expect(await findings(source)).toEqual([])
})

test('what is no OpenAPI is found', async () => {
  const source = await readFile(contract, 'utf8')
  expect(await findings(source.replace('"responses"', '"answers"'))).not.toEqual([])
  expect(await findings(source.replace('#/components/schemas/Problem', '#/components/schemas/Nothing'))).not.toEqual([])
})
