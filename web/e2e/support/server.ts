// The server under test: bin/aparte itself, on a free port with data of its own.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const binary = process.env['BIN_APARTE'] ?? path.join(import.meta.dirname, '../../../bin/aparte');

/** How long a healthy start may take on two busy cores. */
const START_LIMIT_MS = 30_000;

/**
 * The next server's port, which is to be free still when it is started again after a crash: one that the kernel gives to nobody who
 * asks for any (ip_local_port_range(7) begins at 32768), and browsers refuse none of these. Two processes that test seldom count alike.
 */
let nextPort = 12_000 + ((process.pid * 211) % 20_000);

export class Server {
  /** Origin of the main listener, such as http://127.0.0.1:40123; stays over a restart. */
  url = '';
  /** One-time sign-in of the demo agent. */
  agentURL = '';
  /** Guest link of the demo meeting. */
  guestURL = '';
  /** Everything the process wrote to standard error, for the report of a failure. */
  log = '';

  /** Folder of its data, while it lives. */
  get data(): string {
    return this.#dataDir;
  }

  #process: ChildProcess | undefined;
  #dataDir = '';
  #mediaAddresses: string[] = [];
  #flags: string[] = [];

  /** Media uses loopback alone, or the addresses that are named; flags are added to the command. */
  static async start(mediaAddresses = ['127.0.0.1'], ...flags: string[]): Promise<Server> {
    const server = new Server();
    server.#mediaAddresses = mediaAddresses;
    server.#flags = flags;
    server.#dataDir = await mkdtemp(path.join(tmpdir(), 'aparte-e2e-'));
    for (;;) {
      try {
        await server.#spawn(`127.0.0.1:${nextPort++}`);
        return server;
      } catch (error) {
        if (!server.log.includes('address already in use')) {
          await server.stop();
          throw error;
        }
        server.log = ''; // it is somebody's: the next one
      }
    }
  }

  /** Kills the process as a power cut would, and starts another on the same data and port. */
  async crashAndRestart(): Promise<void> {
    await this.#end('SIGKILL');
    await this.#spawn(new URL(this.url).host);
  }

  /** Kills the process and leaves it dead. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Starts again on the same data and port after crash. */
  async restart(): Promise<void> {
    await this.#spawn(new URL(this.url).host);
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #spawn(listen: string): Promise<void> {
    const child = spawn(
      binary,
      ['serve', '--dev', '--listen', listen, '--admin-listen', '127.0.0.1:0', '--media-udp-port', '0', '--media-addresses', this.#mediaAddresses.join(','), '--data-dir', this.#dataDir, ...this.#flags],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#process = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => reject(new Error(`start ${binary}: ${error.message}`)));
      child.once('exit', (code, signal) => reject(new Error(`aparte ended while starting (${signal ?? code}):\n${this.log}`)));
      setTimeout(() => reject(new Error(`aparte was not ready in ${START_LIMIT_MS} ms:\n${this.log}`)), START_LIMIT_MS).unref();
    });
    failed.catch(() => undefined);
    // A first start makes the demo agent and meeting and prints their links; on data that is already there it only says where it listens.
    const first = this.url === '';
    const ready = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        const [, kind, url = ''] = /^(listening|agent|guest): (\S+)$/.exec(line) ?? [];
        if (kind === 'listening') this.url = new URL(url).origin;
        if (kind === 'agent') this.agentURL = url;
        if (kind === 'guest') this.guestURL = url;
        if (this.url && kind && (!first || (this.agentURL && this.guestURL))) resolve();
      });
    });
    await Promise.race([ready, failed]);
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    const hang = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(hang);
  }
}
