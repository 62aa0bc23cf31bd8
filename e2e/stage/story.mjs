// A story: a server, a browser, people; everything ends with it, whatever happened.

import { existsSync } from 'node:fs';
import { after, test } from 'node:test';

import { chromium } from 'playwright-core';

import { crowd } from './crowd.mjs';
import { Network } from './network.mjs';
import { Person } from './person.mjs';
import { Server } from './server.mjs';
import { within } from './until.mjs';

const STORY_ENDS_WITHIN_MS = 60_000;
const REPORT_ENDS_WITHIN_MS = 5_000;
const CLOSING_ENDS_WITHIN_MS = 10_000;

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

/**
 * Tells a story; `tell` gets the stage. The next story gets a new one. `flags` are the server's.
 *
 * A story that hangs fails with what was on the screens, and takes nothing down with it.
 */
export function story(name, tell, { flags = [] } = {}) {
  test(name, async () => {
    const stage = await within(STORY_ENDS_WITHIN_MS, 'setting the stage', Stage.open(flags));
    try {
      await within(STORY_ENDS_WITHIN_MS, name, tell(stage));
      stage.nobodyComplained();
    } catch (error) {
      throw new Error(`${error.message}${await stage.report()}`, { cause: error });
    } finally {
      await within(CLOSING_ENDS_WITHIN_MS, 'clearing the stage', stage.close());
    }
  });
}

// A browser that does not close would keep this process, and who waits for it, for ever. Playwright
// ends its browsers when the process exits.
after(() => setTimeout(() => process.exit(), CLOSING_ENDS_WITHIN_MS).unref());

class Stage {
  #browser;
  #people = [];
  #networks = [];
  server;

  static async open(flags) {
    const stage = new Stage();
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}`);
    stage.#browser = await chromium.launch({ executablePath, headless: true, args: FLAGS });
    try {
      stage.server = await Server.start(flags);
    } catch (error) {
      await stage.#browser.close();
      throw error;
    }
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
    const reports = Promise.all(this.#people.map((person) => person.report()));
    const said = await within(REPORT_ENDS_WITHIN_MS, 'looking at the screens', reports)
      .catch((error) => [error.message]);
    return `\n\n${said.join('\n\n')}\n\nThe server:\n${this.server.log}`;
  }

  async close() {
    await this.#browser.close();
    await this.server.close();
    await Promise.all(this.#networks.map((network) => network.close()));
  }
}
