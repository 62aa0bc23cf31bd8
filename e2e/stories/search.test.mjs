// Looking for what was said: found in Korean and English, and shown where it was said.

import assert from 'node:assert/strict';

import { isAccessible } from '../stage/accessibility.mjs';
import { Keyboard } from '../stage/keyboard.mjs';
import { story } from '../stage/story.mjs';
import { until } from '../stage/until.mjs';

const COMPOUND = '오늘 저녁에 주간업무회의록을 올려 두었습니다';

const lines = (count) => Array.from({ length: count }, (_, n) => `line ${n + 1}`);

/** More than three hundred messages, and one that is worth finding near their beginning. */
const long = () => [...lines(39), COMPOUND, ...lines(320).map((line) => `later ${line}`)];

story('a word inside a Korean compound is found, and its message is opened in its place', async (stage) => {
  await stage.crowdSays('general', long());
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.hears('later line 320');
  await hana.search.opens();
  const keyboard = await Keyboard.of(hana);
  await keyboard.composes('ㅎ', '호', '회');
  await keyboard.commits('회');
  await keyboard.composes('ㅇ', '으', '의');
  // Enter within the syllable belongs to it; the one after it asks.
  await keyboard.pressesInComposition('Enter');
  assert.equal(await hana.search.hits.count(), 0);
  assert.equal(await hana.search.field.inputValue(), '회의');
  await keyboard.enters('의');
  await hana.search.finds([COMPOUND]);
  assert.deepEqual(await hana.search.hits.first().locator('mark').allInnerTexts(), ['회의']);
  await hana.pictures('search-korean');

  await hana.search.hits.first().click();
  await hana.hears(COMPOUND);
  await hana.seesInPlace(COMPOUND);
  const places = await hana.places();
  assert.ok(places.includes(20) && places.includes(60), `around it: ${places}`);
  assert.ok(!places.includes(360), 'and not the newest');
  await hana.pictures('search-in-place');
  await hana.page.locator('li.message.shown').waitFor({ state: 'detached' });

  await hana.page.getByRole('button', { name: /Jump to newest/ }).click();
  await hana.hears('later line 320');
});

story('a hit in another room opens that room there', async (stage) => {
  await stage.crowdSays('general', long());
  const hana = await stage.enters('하나');
  await hana.createsRoom('elsewhere');
  await hana.says('nothing to see here');
  await hana.search.opens();
  await hana.search.asks('회의록');
  await hana.page.getByText(/Nothing found for/).waitFor();
  await hana.pictures('search-nothing');
  await hana.search.inAllRooms();
  await hana.search.finds([COMPOUND]);
  assert.match(await hana.search.hits.first().innerText(), /general/);
  await hana.search.hits.first().click();
  await hana.isIn('general');
  await hana.hears(COMPOUND);
  await hana.seesInPlace(COMPOUND);
  assert.equal(await hana.search.hits.count(), 1, 'what was found in all rooms stays');
});

story('a hit leads to its place also in a room in which one has spoken', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.says('back in a minute');
  await hana.hasNothingPending();
  await hana.hasUnread('general', 0);
  await hana.createsRoom('elsewhere');
  await stage.crowdSays('general', [COMPOUND, ...lines(120)]);
  await hana.hasUnread('general', 121);
  await hana.search.opens();
  await hana.search.inAllRooms();
  await hana.search.findsAtLast('회의록', [COMPOUND]);

  await hana.search.hits.first().click();
  await hana.isIn('general');
  await hana.seesInPlace(COMPOUND);
});

story('an edit and a deletion are found as they stand', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  for (const person of [hana, duri]) await person.opensRoom('general');
  await hana.says('dinner at seven');
  await hana.says('dinner at nine');
  await hana.hasNothingPending();
  await duri.search.opens();
  await duri.search.findsAtLast('dinner', ['dinner at nine', 'dinner at seven']);

  await hana.doesTo('dinner at nine', 'Delete');
  await hana.message('dinner at nine').getByRole('group').getByRole('button', { name: 'Delete' }).click();
  await duri.search.finds(['dinner at seven']);
  await hana.doesTo('dinner at seven', 'Edit');
  await hana.says('supper at eight');
  await duri.search.finds(['supper at eight']);
  await duri.search.findsAtLast('supper', ['supper at eight']);
  await duri.search.findsAtLast('dinner', []);
});

story('what is found comes in pages, by keys alone, and Escape leads back to the composer', async (stage) => {
  await stage.crowdSays('general', lines(45));
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.hears('line 45');
  const { keyboard } = hana.page;
  await keyboard.press('Control+Shift+F');
  await keyboard.type('line');
  await keyboard.press('Enter');
  await until('a page is there', async () => (await hana.search.hits.count()) === 20);
  await hana.page.getByText('The newest 20').waitFor();
  const more = hana.page.getByRole('button', { name: 'Show more' });
  await more.focus();
  await keyboard.press('Enter');
  await until('two pages are there', async () => (await hana.search.hits.count()) === 40);
  await hana.hasFocusOn(/line 25/);
  await keyboard.press('ArrowUp');
  await hana.hasFocusOn(/line 26/);
  await more.focus();
  await keyboard.press('Enter');
  await hana.page.getByText('45 messages found').waitFor();
  await more.waitFor({ state: 'detached' });
  await hana.hasFocusOn(/line 5/);
  await hana.pictures('search-pages');

  await keyboard.press('Control+Shift+F');
  await keyboard.press('ArrowDown');
  await keyboard.press('ArrowDown');
  await hana.hasFocusOn(/line 44/);
  await keyboard.press('Enter');
  await hana.seesInPlace('line 44');
  await hana.hasFocusOn(/line 44/);
  await keyboard.press('Escape');
  await hana.isWriting();
  await keyboard.press('Control+Shift+F');
  assert.equal(await hana.search.field.inputValue(), 'line');
  await keyboard.press('Escape');
  await hana.search.field.waitFor({ state: 'detached' });
  await hana.isWriting();
});

story('searching reads nothing, nor does reading on from where it leads', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await stage.crowdSays('general', ['read this']);
  await hana.hears('read this');
  await hana.hasUnread('general', 0);
  await hana.createsRoom('elsewhere');
  await stage.crowdSays('general', [...lines(120), '한가운데의 찻잔', ...lines(120)]);
  await hana.hasUnread('general', 241);

  await hana.search.opens();
  await hana.search.inAllRooms();
  await hana.search.findsAtLast('찻잔', ['한가운데의 찻잔']);
  await hana.search.hits.first().click();
  await hana.seesInPlace('한가운데의 찻잔');
  await hana.page.locator('li.message.shown').waitFor({ state: 'detached' });
  await hana.hasUnread('general', 241);
  await hana.page.getByRole('button', { name: /Jump to newest/ }).click();
  await hana.hasUnread('general', 0);
});

story('a server that says no is quoted: too many words, too fast, not there', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.opensRoom('general');
  await hana.search.opens();
  await hana.search.asks('a b c d e f g h i j k l m');
  await hana.page.getByText('Search for up to 12 words').waitFor();
  const tooFast = { code: 'rate_limited', title: 'too much', status: 429, retryable: true, retry_after_ms: 2100 };
  await hana.page.route(/\/api\/search/, (route) => route.fulfill({ status: 429, json: tooFast }), { times: 1 });
  await hana.search.asks('tea');
  await hana.page.getByText('Search again in 3 s').waitFor();
  await hana.pictures('search-too-fast');
  network.cuts();
  await hana.search.asks('tea');
  await hana.page.getByText('The server cannot be reached').waitFor();
});

story('an answer that comes late is dropped', async (stage) => {
  await stage.crowdSays('general', ['green tea', 'black coffee']);
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.hears('black coffee');
  await hana.search.opens();
  await hana.search.findsAtLast('coffee', ['black coffee']);
  let answer;
  await hana.page.route(/\/api\/search\?q=tea/, (route) => {
    answer = () => route.continue();
  });
  await hana.search.asks('tea');
  await until('the server was asked', async () => answer !== undefined);
  await hana.page.getByText('Searching…').waitFor();
  await hana.search.asks('coffee');
  await hana.search.finds(['black coffee']);
  const late = hana.page.waitForResponse(/\/api\/search\?q=tea/);
  await answer();
  await (await late).finished();
  await hana.search.finds(['black coffee']);
});

story('where there is no room for a third thing the search lies above the conversation, and gives way', async (stage) => {
  await stage.crowdSays('general', [COMPOUND, ...lines(30)]);
  const hana = await stage.enters('하나', { viewport: { width: 900, height: 700 } });
  await hana.opensRoom('general');
  await hana.hears('line 30');
  await hana.search.opens();
  await hana.search.findsAtLast('주간', [COMPOUND]);
  await hana.isNotScrolledSideways();
  await hana.pictures('search-tablet');
  await hana.search.hits.first().click();
  await hana.search.field.waitFor({ state: 'detached' });
  await hana.seesInPlace(COMPOUND);
});

for (const [locale, colorScheme] of [['ko-KR', 'light'], ['en-US', 'dark']]) {
  const kind = `${locale.slice(0, 2)}-${colorScheme}`;

  story(`on a phone the search is a pane of its own: ${kind}`, async (stage) => {
    await stage.crowdSays('general', long());
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
    const hana = await stage.enters('하나', { ...phone, locale, colorScheme });
    await hana.opensRoom('general');
    await hana.hears('later line 320');
    await hana.search.opens();
    await hana.search.asks('회의');
    await hana.search.finds([COMPOUND]);
    await hana.isNotScrolledSideways();
    await hana.pictures(`search-${kind}-phone`);
    await isAccessible(hana, 'search on a phone');
    await hana.search.hits.first().tap();
    await hana.search.field.waitFor({ state: 'detached' });
    await hana.seesInPlace(COMPOUND);
    await hana.isNotScrolledSideways();
    await hana.search.opens();
    await hana.search.finds([COMPOUND]);
  });

  story(`nobody is kept out of the search: ${kind}`, async (stage) => {
    await stage.crowdSays('general', long());
    const hana = await stage.enters('하나', { locale, colorScheme });
    await hana.opensRoom('general');
    await hana.hears('later line 320');
    await hana.search.opens();
    await hana.search.inAllRooms();
    await hana.search.asks('회의');
    await hana.search.finds([COMPOUND]);
    await isAccessible(hana, 'search');
    await hana.search.hits.first().click();
    await hana.seesInPlace(COMPOUND);
    await hana.pictures(`search-${kind}-desktop`);
    await isAccessible(hana, 'a message in its place');
  });
}
