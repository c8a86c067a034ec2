// Writes what became of the rows' cases, one line of JSON each, into the folder CONFORMANCE_RESULTS;
// without it the tests are just tests.

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter';
import { executable } from './browser.ts';
import type { Client } from './conformance.ts';
import { firefox } from './firefox.ts';

const folder = process.env['CONFORMANCE_RESULTS'];

export default class ConformanceReporter implements Reporter {
  readonly #versions = new Map<Client, string>();

  printsToStdio(): boolean {
    return false;
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (!folder || result.status === 'skipped') return;
    for (const { type, description } of test.annotations) {
      const [kind, client] = type.split(':');
      if (kind !== 'conformance') continue;
      const line = {
        row: description,
        client,
        // Without the project's name, which is empty.
        test: [path.basename(test.location.file), ...test.titlePath().slice(3)].join(' › '),
        passed: result.status === 'passed',
        with: this.#version(client as Client),
      };
      mkdirSync(folder, { recursive: true });
      appendFileSync(path.join(folder, 'browsers.jsonl'), `${JSON.stringify(line)}\n`);
    }
  }

  #version(client: Client): string {
    const known = this.#versions.get(client);
    if (known) return known;
    const { version: sdk } = JSON.parse(readFileSync(path.join(path.dirname(createRequire(import.meta.url).resolve('livekit-client')), '../package.json'), 'utf8')) as { version: string };
    const program = client === 'firefox' ? firefox : executable;
    const [browser = client] = /[A-Z]\w+ (ESR )?[\d.]+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }).replace('Mozilla ', '')) ?? [];
    const version = `livekit-client ${sdk} in ${browser}`;
    this.#versions.set(client, version);
    return version;
  }
}
