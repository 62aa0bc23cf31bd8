// A story: a server, a browser, people; everything ends with it, whatever happened.

import { existsSync } from 'node:fs';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

import { Network } from './network.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';

const STORY_ENDS_WITHIN_MS = 60_000;

// The browser looks for nothing beyond the page, and runs where there is no sandbox or screen.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Tells a story; `tell` gets the stage. The next story gets a new one. */
export function story(name, tell) {
  test(name, { timeout: STORY_ENDS_WITHIN_MS }, async () => {
    const stage = await Stage.open();
    try {
      await tell(stage);
      stage.nobodyComplained();
    } catch (error) {
      throw new Error(`${error.message}${await stage.report()}`, { cause: error });
    } finally {
      await stage.close();
    }
  });
}

class Stage {
  #browser;
  #people = [];
  #networks = [];
  server;

  static async open() {
    const stage = new Stage();
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}`);
    stage.#browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    stage.server = await Server.start();
    return stage;
  }

  /** A way to the server that can fail. */
  async network() {
    const network = await Network.to(this.server);
    this.#networks.push(network);
    return network;
  }

  /**
   * Somebody with a browser of their own. `through` is their network; `locale`, `colorScheme`,
   * `viewport` and other settings of a browser context may be given.
   */
  async person({ through = this.server, ...settings } = {}) {
    const context = await this.#browser.newContext({
      baseURL: through.address,
      locale: 'en-US',
      timezoneId: 'Asia/Seoul',
      viewport: { width: 1280, height: 800 },
      reducedMotion: 'reduce',
      ...settings,
    });
    const person = new Person(context, await context.newPage(), { onTouch: settings.hasTouch });
    this.#people.push(person);
    return person;
  }

  /** Another window of somebody's browser. */
  async windowBeside(person) {
    const beside = await person.anotherWindow();
    this.#people.push(beside);
    return beside;
  }

  /** Says lines in a room, in their order: eight people without a screen, faster than one may. */
  async crowdSays(room, lines) {
    const context = await this.#browser.newContext({ baseURL: this.server.address });
    const page = await context.newPage();
    await page.goto('/start.js');
    await page.evaluate(crowd, { room, lines });
    await context.close();
  }

  /** Somebody who has come in and may talk. */
  async enters(name, settings = {}) {
    const person = await this.person(settings);
    await person.enters(name);
    return person;
  }

  /** The pages threw nothing, broke no content security policy and asked no third party. */
  nobodyComplained() {
    const complaints = this.#people.flatMap((person) => person.complaints);
    if (complaints.length > 0) throw new Error(`a page complained:\n${complaints.join('\n')}`);
  }

  async report() {
    const said = await Promise.all(this.#people.map((person) => person.report()));
    return `\n\n${said.join('\n\n')}\n\nThe server:\n${this.server.log}`;
  }

  async close() {
    await this.#browser.close();
    await this.server.close();
    await Promise.all(this.#networks.map((network) => network.close()));
  }
}

/** Runs in a page: each of the browser's sessions is one of the crowd. */
async function crowd({ room, lines }) {
  const ask = async (slot, path, body) => {
    const headers = { 'content-type': 'application/json', 'madang-slot': String(slot) };
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.json();
  };
  const enter = async (slot) => {
    await ask(slot, '/api/session', { name: `손님 ${slot + 1}` });
    const { ticket } = await ask(slot, '/ws/ticket', {});
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
    const waiting = new Map();
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }));
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(data);
      waiting.get(message.id ?? message.type)?.(message);
    });
    const says = (message, reply) => new Promise((resolve) => {
      waiting.set(reply, resolve);
      socket.send(JSON.stringify(message));
    });
    await says({ type: 'hello', ticket }, 'welcome');
    await says({ type: 'join', id: 1, room }, 1);
    return { says, close: () => socket.close() };
  };
  const people = await Promise.all([...Array(8).keys()].map(enter));
  for (const [n, body] of lines.entries()) {
    const person = people[n % people.length];
    for (;;) {
      const say = { type: 'say', id: n + 2, room, message_id: `line-${n}`, body };
      const reply = await person.says(say, n + 2);
      if (reply.type === 'ack') break;
      if (!reply.error?.retryable) throw new Error(JSON.stringify(reply));
      await new Promise((resolve) => setTimeout(resolve, reply.error.retry_after_ms));
    }
  }
  for (const person of people) person.close();
}
