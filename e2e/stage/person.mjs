// A person with a browser: what they do and what they see, in the words of the house.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';

import { collectsComplaints } from './complaints.mjs';
import { scrollsBeyond } from './scrolling.mjs';
import { Search } from './search.mjs';
import { until } from './until.mjs';

const PICTURES = new URL('../screenshots/', import.meta.url);

export class Person {
  #context;
  #onTouch;
  complaints = [];
  name = '';

  /** `onTouch`: their device has no keys, and Enter makes a new line. */
  constructor(context, page, { onTouch = false } = {}) {
    this.#context = context;
    this.#onTouch = onTouch;
    this.#take(page);
  }

  // --- coming and going

  /** Opens an address of the page. */
  async opens(path) {
    await this.page.goto(path);
  }

  /** Comes in under a name, by the front door or by the address that is open already. */
  async enters(name) {
    if (this.page.url() === 'about:blank') await this.opens('/');
    await this.givesName(name);
    await this.isConnected();
  }

  /** Fills in the name and presses Enter. */
  async givesName(name) {
    this.name = name;
    await this.nameField.fill(name);
    await this.nameField.press('Enter');
  }

  /** Closes the tab and everything with it. */
  async closesTheTab() {
    await this.#context.close();
  }

  async reloads() {
    await this.page.reload();
  }

  /** The tab dies in the middle of everything: nothing in it is asked or told. */
  async crashes() {
    const devtools = await this.devtools();
    const crashed = this.page.waitForEvent('crash');
    // There is nobody left to answer.
    devtools.send('Page.crash').catch(() => {});
    await crashed;
  }

  /** Opens a tab that is gone again, at the same address. */
  async reopensTheTab() {
    const address = this.page.url();
    await this.page.close();
    this.#take(await this.#context.newPage());
    await this.opens(address);
  }

  /** A second window of the same browser. */
  async anotherWindow() {
    return new Person(this.#context, await this.#context.newPage(), { onTouch: this.#onTouch });
  }

  // --- rooms

  /** Opens a room from the list, unless it is open already. */
  async opensRoom(room) {
    if (!this.#isAt(room)) {
      await this.seesRooms();
      await this.page.locator(`a[data-room="${room}"]`).click();
    }
    await this.composer.waitFor();
  }

  /** On a phone the list is a page of its own. */
  async seesRooms() {
    const back = this.page.getByRole('link', { name: /^(Back to the rooms|방 목록으로)$/ });
    if (await back.isVisible()) await back.click();
    await this.page.locator('a[data-room]').first().waitFor();
  }

  async createsRoom(room) {
    await this.seesRooms();
    await this.page.getByRole('button', { name: /^(New room|새 방)$/ }).first().click();
    await this.page.getByLabel(/^(Room name|방 이름)$/).fill(room);
    await this.page.keyboard.press('Enter');
    await this.isIn(room);
  }

  /** Takes up a room that others made. */
  async joinsRoom(room) {
    await this.opensRoom(room);
    await this.isIn(room);
  }

  async leavesRoom() {
    await this.page.getByRole('button', { name: /^(Leave the room|방 나가기)$/ }).click();
  }

  /** Opens the conversation that only the two can see. */
  async writesPrivatelyTo(name) {
    const person = this.page.getByTestId('people').locator('li', { hasText: name });
    await person.getByRole('button').click();
    await this.page.waitForURL(/\/rooms\/dm-/);
    await this.composer.waitFor();
  }

  /** On a phone the people present are behind a button. */
  async showsPeople() {
    await this.page.getByRole('button', { name: /Show people|사람들 보기/ }).click();
    await this.page.getByTestId('people').waitFor();
  }

  async isIn(room) {
    await until(`${room} is open`, () => this.#isAt(room));
    await this.composer.waitFor();
  }

  #isAt(room) {
    return decodeURIComponent(new URL(this.page.url()).pathname) === `/rooms/${room}`;
  }

  async hasUnread(room, count) {
    const badge = this.page.locator(`a[data-room="${room}"]`).getByTestId('unread');
    if (count === 0) await badge.waitFor({ state: 'detached' });
    else await until(`${count} unread in ${room}`, async () => (await numberOn(badge)) === count);
  }

  async hasMentions(room, count) {
    const badge = this.page.locator(`a[data-room="${room}"]`).getByTestId('mentions');
    await until(`${count} mentions in ${room}`, async () => (await numberOn(badge)) === count);
  }

  // --- talking

  /** Writes a line and sends it, by Enter or, on a phone, by the button. */
  async says(line) {
    await this.composer.fill(line);
    if (this.#onTouch) await this.page.getByRole('button', { name: /^(Send|보내기)$/ }).tap();
    else await this.composer.press('Enter');
  }

  /** Writes and does not send. */
  async drafts(line) {
    await this.composer.fill(line);
  }

  /** A line stands in the conversation, once. */
  async hears(line) {
    await this.message(line).first().waitFor();
    assert.equal(await this.message(line).count(), 1, `${this.name} sees once: ${line}`);
  }

  /** Lines stand in the conversation in this order, each once, and none of them is pending. */
  async hearsInOrder(lines) {
    for (const line of lines) await this.message(line).first().waitFor();
    const said = await this.page.locator('li[data-seq] .message-text').allInnerTexts();
    const heard = said.filter((line) => lines.includes(line));
    assert.deepEqual(heard, lines, `what ${this.name} sees, in order`);
  }

  /** A line stands nowhere any more, and in its place that it was deleted. */
  async seesDeleted(line) {
    await this.page.locator('li.message.deleted').first().waitFor();
    assert.equal(await this.message(line).count(), 0, `${this.name} does not see: ${line}`);
  }

  /** Points at a message and presses one of its buttons. */
  async doesTo(line, button) {
    await this.message(line).hover();
    await this.message(line).getByRole('button', { name: button }).click();
  }

  // --- reading back

  /** The list, with what stands in it. */
  get list() {
    return this.page.getByRole('log');
  }

  /** The places of the messages in the document, in the order of the screen. */
  async places() {
    return this.page.locator('li[data-seq]').evaluateAll((rows) => rows.map((row) => Number(row.dataset.seq)));
  }

  /**
   * Scrolls to this edge of the list, so that a page beyond it is loaded, and gives by how many
   * pixels that moved what was being read.
   */
  async readsBeyond(edge) {
    // A hand on the list: from here on nothing but the person decides what is in sight.
    await this.list.hover();
    await this.page.mouse.wheel(0, edge === 'top' ? -1 : 1);
    return scrollsBeyond(this.page, edge);
  }

  // --- looking for what was said

  get search() {
    return new Search(this.page);
  }

  /** A line is in sight and stands out. */
  async seesInPlace(line) {
    await this.page.locator('li.message.shown', { hasText: line }).waitFor();
    await this.hasInSight(line);
  }

  /** A line stands between the edges of the list. */
  async hasInSight(line) {
    const inSight = await this.message(line).evaluate((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      const list = row.closest('.messages').getBoundingClientRect();
      return top >= list.top && bottom <= list.bottom;
    });
    assert.ok(inSight, `${this.name} sees: ${line}`);
  }

  /** The focus is on something that is called, or says, this. */
  async hasFocusOn(words) {
    let on = '';
    await until(`the focus is on ${words}`, async () => {
      on = await this.page.evaluate(() => {
        const { activeElement: it, body } = document;
        // While nothing has the focus, the body says everything.
        return it === body ? 'nothing' : (it.getAttribute('aria-label') ?? it.innerText);
      });
      return typeof words === 'string' ? on === words : words.test(on);
    }).catch((error) => {
      throw new Error(`${error.message}; it is on: ${on}`);
    });
  }

  /** A question is on the screen, and the focus on its first answer. */
  async isAsked(question) {
    const answer = this.page.getByRole('group').filter({ hasText: question }).getByRole('button').first();
    await until(`it is asked: ${question}`, async () => {
      return (await answer.count()) === 1 && answer.evaluate((it) => document.activeElement === it);
    });
  }

  async isWriting() {
    await until('the focus is where one writes', () => {
      return this.composer.evaluate((composer) => document.activeElement === composer);
    });
  }

  /** Who said a line, as the page shows it: at the line, or at the head of its group. */
  async authorOf(line) {
    await this.hears(line);
    return this.page.evaluate((line) => {
      const rows = [...document.querySelectorAll('li[data-seq]')];
      const said = rows.findIndex((row) => row.querySelector('.message-text')?.textContent.includes(line));
      const heads = rows.slice(0, said + 1).map((row) => row.querySelector('.message-author'));
      return heads.filter(Boolean).at(-1)?.textContent;
    }, line);
  }

  /** A line waits in the conversation, not yet taken by the server. */
  async hasPending(line, state) {
    const mark = state ? `[data-state=${state}]` : '[data-state]';
    await this.page.locator(`li[data-message-id]${mark}`, { hasText: line }).waitFor();
  }

  async hasNothingPending() {
    await until('nothing is pending', async () => {
      return (await this.page.locator('li[data-message-id][data-state]').count()) === 0;
    });
  }

  /** A notice says that somebody came or went. */
  async notices(words) {
    await this.page.getByTestId('notice').filter({ hasText: words }).first().waitFor();
  }

  async noticesNothingOf(words) {
    assert.equal(await this.page.getByTestId('notice').filter({ hasText: words }).count(), 0, words);
  }

  async seesPresent(name) {
    await this.page.getByTestId('people').locator('li', { hasText: name }).waitFor();
  }

  async seesAbsent(name) {
    const there = this.page.getByTestId('people').locator('li', { hasText: name });
    await there.waitFor({ state: 'detached' });
  }

  // --- the connection

  async isConnected({ withinMs } = {}) {
    const open = this.page.locator('[data-testid=link][data-state=open]');
    await open.waitFor({ state: 'attached', timeout: withinMs });
  }

  async hasLostConnection() {
    await until('the connection is lost', async () => {
      return (await this.link.getAttribute('data-state')) !== 'open';
    });
  }

  async goesOffline() {
    await this.#context.setOffline(true);
  }

  async goesOnline() {
    await this.#context.setOffline(false);
  }

  // --- settings

  /** Chooses in the settings: a group by its name, an answer by its name. */
  async chooses(group, answer) {
    await this.page.getByRole('button', { name: /^(Settings|설정)$/ }).click();
    const names = { Language: /^(Language|언어)$/, Colours: /^(Colours|색)$/ };
    await this.page.getByRole('group', { name: names[group] }).getByRole('radio', { name: answer }).check({ force: true });
    await this.page.keyboard.press('Escape');
  }

  async speaks(language) {
    await this.page.locator(`html[lang=${language}]`).waitFor({ state: 'attached' });
  }

  // --- what is on the screen

  get nameField() {
    return this.page.getByRole('textbox', { name: /^(Your name|이름)/ });
  }

  get composer() {
    return this.page.getByTestId('composer');
  }

  get link() {
    return this.page.getByTestId('link');
  }

  get banner() {
    return this.page.getByTestId('banner');
  }

  /** The rows of the log that hold this line. */
  message(line) {
    return this.page.locator('li[data-seq]').filter({ has: this.page.getByText(line, { exact: true }) });
  }

  /** Keeps a picture of the screen for people to look at. */
  async pictures(name) {
    mkdirSync(PICTURES, { recursive: true });
    await this.page.evaluate(() => document.fonts.ready);
    await this.page.screenshot({ path: new URL(`${name}.png`, PICTURES).pathname });
  }

  async isNotScrolledSideways() {
    const { scrollWidth, clientWidth } = await this.page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { scrollWidth, clientWidth };
    });
    assert.ok(scrollWidth <= clientWidth, `the page is ${scrollWidth} px wide in ${clientWidth} px`);
  }

  // --- the browser below

  /** A session of Chrome's own protocol, for what no page can do: composing Hangul. */
  async devtools() {
    return this.#context.newCDPSession(this.page);
  }

  /** Everything on the screen as text, and what the page logged: for a story that failed. */
  async report() {
    const screen = await this.page.locator('body').innerText({ timeout: 1_000 }).catch(() => '(gone)');
    return [`${this.name || 'Somebody'} at ${this.page.url()} sees:`, screen, ...this.complaints].join('\n');
  }

  #take(page) {
    this.page = page;
    page.setDefaultTimeout(15_000);
    collectsComplaints(page, this.complaints);
  }
}

/** The number on a badge, if there is a badge. */
async function numberOn(badge) {
  const words = (await badge.count()) === 1 ? await badge.innerText() : '';
  return Number(/\d+/.exec(words)?.[0] ?? Number.NaN);
}
