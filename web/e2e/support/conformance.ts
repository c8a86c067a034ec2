// The rows of docs/conformance.json, for the tests that are their cases. What became of a case is
// written by conformance-reporter.ts; signaling/wire/sdktest/conform makes docs/conformance.md of it.

import { readFileSync } from 'node:fs';
import path from 'node:path';

export type Client = 'chromium' | 'firefox';

interface Row {
  id: string;
  clients: string[];
}

const { rows } = JSON.parse(readFileSync(path.join(import.meta.dirname, '../../../docs/conformance.json'), 'utf8')) as { rows: Row[] };

/** Details of a test that is the case of rows: test('…', proves('chromium', 'data-order'), async () => …). */
export function proves(client: Client, ...ids: string[]): { annotation: { type: string; description: string }[] } {
  for (const id of ids) {
    const row = rows.find((one) => one.id === id);
    if (!row) throw new Error(`there is no row ${id} in docs/conformance.json`);
    if (!row.clients.includes(client)) throw new Error(`row ${id} does not name the client ${client}`);
  }
  return { annotation: ids.map((id) => ({ type: `conformance:${client}`, description: id })) };
}
