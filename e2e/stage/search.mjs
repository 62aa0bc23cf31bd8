// Looking for what was said, and what is found.

import { until } from './until.mjs';

export class Search {
  #page;

  constructor(page) {
    this.#page = page;
  }

  async opens() {
    await this.#page.getByRole('button', { name: /^(Search|찾기)$/ }).first().click();
    await this.field.waitFor();
  }

  /** Asks for words. */
  async asks(words) {
    await this.field.fill(words);
    await this.field.press('Enter');
  }

  async inAllRooms() {
    await this.#page.getByRole('radio', { name: /All rooms|모든 방/ }).check({ force: true });
  }

  get field() {
    return this.#page.getByRole('search').getByRole('textbox');
  }

  /** What was found. */
  get hits() {
    return this.#page.getByTestId('search').getByRole('listitem').getByRole('button');
  }

  /** These were found, the newest first. */
  async finds(lines) {
    await until(`found: ${lines.join(', ')}`, async () => (await this.#found()) === lines.join('\n'));
  }

  /** The same, once the server's index has them: it follows the log. */
  async findsAtLast(words, lines) {
    await until(`found: ${lines.join(', ')}`, async () => {
      const answer = this.#page.waitForResponse(/\/api\/search/);
      await this.asks(words);
      await (await answer).finished();
      return (await this.#found()) === lines.join('\n');
    });
  }

  async #found() {
    return (await this.hits.locator('.hit-text').allInnerTexts()).join('\n');
  }
}
