// The real server in a process of its own. It is told nothing that an operator could not tell it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const STARTS_WITHIN_MS = 10_000;

/**
 * A heartbeat that lets a story see within seconds what comes with one: that the network stalls,
 * and what a log's digest is. It sees a machine that pauses for half a second as well: it is for
 * the stories that need it.
 */
export const QUICK_HEARTBEAT = ['--heartbeat-interval-ms', '1000', '--heartbeat-timeout-ms', '500'];

export class Server {
  #process;
  #data;
  #flags;
  #log = [];
  port = 0;

  /** Starts on a port that is free. `flags` are what an operator would set. */
  static async start(flags) {
    const server = new Server();
    server.#flags = flags;
    server.#data = await mkdtemp(join(tmpdir(), 'madang-e2e-'));
    await server.#run();
    return server;
  }

  get address() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the server logged, for a story that failed. */
  get log() {
    return this.#log.join('\n');
  }

  /** Ends it as a power cut does: nothing is said to anybody. */
  async dies() {
    this.#process.kill('SIGKILL');
    await this.#ended();
  }

  /** Ends it as an operator does. */
  async stops() {
    this.#process.kill('SIGTERM');
    await this.#ended();
  }

  /** Starts again at the same address. */
  async startsAgain() {
    await this.#run();
  }

  async close() {
    this.#process.kill('SIGKILL');
    await this.#ended();
    await rm(this.#data, { recursive: true, force: true });
  }

  async #ended() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, 'exit');
    }
  }

  async #run() {
    const program = process.env.MADANG_TEST_SERVER;
    if (!program) throw new Error('MADANG_TEST_SERVER names the server; `cargo xtask test` sets it');
    const flags = ['--listen', `127.0.0.1:${this.port}`, '--data-dir', this.#data, ...this.#flags];
    if (process.env.MADANG_TEST_PAGE_DIR) flags.push('--page-dir', process.env.MADANG_TEST_PAGE_DIR);
    this.#process = spawn(program, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    createInterface({ input: this.#process.stderr }).on('line', (line) => this.#log.push(line));
    this.port = await this.#announcedPort();
  }

  #announcedPort() {
    return new Promise((resolve, reject) => {
      const failed = (why) => reject(new Error(`the server ${why}\n${this.log}`));
      const timer = setTimeout(() => failed('does not say where it is'), STARTS_WITHIN_MS);
      this.#process.once('error', (error) => failed(`cannot be started: ${error.message}`));
      this.#process.once('exit', (code) => failed(`ended at once (${code})`));
      createInterface({ input: this.#process.stdout }).on('line', (line) => {
        const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (!port) return;
        clearTimeout(timer);
        resolve(Number(port));
      });
    });
  }
}
