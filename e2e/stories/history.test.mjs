// Reading back as far as there is anything, and forth again; what is missing can be seen.

import assert from 'node:assert/strict';

import { QUICK_HEARTBEAT } from '../stage/server.mjs';
import { story } from '../stage/story.mjs';
import { until } from '../stage/until.mjs';

const lines = (count) => Array.from({ length: count }, (_, n) => `line ${n + 1}`);
const upFrom = (first, last) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

story('one reads back through more than three hundred messages and forth again without a jump', async (stage) => {
  await stage.crowdSays('general', lines(360));
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.hears('line 360');
  await hana.pictures('history-newest');

  const beginning = hana.page.getByTestId('above').filter({ hasText: 'where the room begins' });
  for (let pages = 0; (await hana.places())[0] > 1; pages += 1) {
    assert.ok(pages < 12, 'every page brings more');
    const moved = await hana.readsBeyond('top');
    assert.ok(moved <= 1, `what is read moved by ${moved} px`);
    const places = await hana.places();
    assert.ok(places.length <= 300, `${places.length} rows`);
    assert.deepEqual(places, upFrom(places[0], places.at(-1)), 'without a gap');
  }
  await beginning.waitFor();
  await hana.list.evaluate((list) => list.scrollTo(0, 0));
  await hana.pictures('history-beginning');

  for (let pages = 0; (await hana.places()).at(-1) < 360; pages += 1) {
    assert.ok(pages < 12, 'every page brings more');
    const moved = await hana.readsBeyond('bottom');
    assert.ok(moved <= 1, `what is read moved by ${moved} px`);
    const places = await hana.places();
    assert.deepEqual(places, upFrom(places[0], places.at(-1)), 'without a gap');
  }
  await hana.hears('line 360');
});

story('from far up one jumps to the newest, also to what was said meanwhile', async (stage) => {
  await stage.crowdSays('general', lines(360));
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await hana.hears('line 360');
  while ((await hana.places()).at(-1) === 360) await hana.readsBeyond('top');

  await duri.says('are you still reading?');
  const jump = hana.page.getByRole('button', { name: /Jump to newest \(\d+\)/ });
  await jump.waitFor();
  await hana.pictures('history-jump');
  await jump.click();
  await hana.hears('are you still reading?');
  await until('the end is in sight', () => hana.list.evaluate((list) => {
    return list.scrollHeight - list.scrollTop - list.clientHeight < 2;
  }));
});

story('what is no longer kept is a row that says so, between what was read and what is new', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.page.evaluate(() => fetch('/api/rooms', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'madang-slot': '0' },
    body: JSON.stringify({ room: 'brief', keep: { last: 10 } }),
  }));
  await hana.opensRoom('brief');
  await hana.says('before the cut');
  await hana.hears('before the cut');
  await hana.hasNothingPending();

  network.cuts();
  await hana.hasLostConnection();
  await stage.crowdSays('brief', lines(30));
  network.heals();
  await hana.hears('line 30');
  await hana.page.getByTestId('resync').filter({ hasText: /no longer kept and are missing here/ }).waitFor();
  await hana.hears('before the cut');
  assert.equal(await hana.message('line 5').count(), 0);
  await hana.pictures('hole');
});

story('what is missing and still kept is loaded where it is missing', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.page.evaluate(() => fetch('/api/rooms', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'madang-slot': '0' },
    body: JSON.stringify({ room: 'brief', keep: { last: 80 } }),
  }));
  await hana.opensRoom('brief');
  await hana.says('before the cut');
  await hana.hasNothingPending();

  network.cuts();
  await hana.hasLostConnection();
  await stage.crowdSays('brief', lines(120));
  network.heals();
  await hana.hears('line 120');
  const hole = hana.page.getByTestId('resync');
  await hole.filter({ hasText: 'Messages are missing here.' }).waitFor();
  assert.equal(await hana.message('line 50').count(), 0);
  await hole.scrollIntoViewIfNeeded();
  await hana.pictures('hole-to-load');
  await hole.getByRole('button', { name: 'Load' }).click();

  await hana.hears('line 50');
  await hana.hears('before the cut');
  // What lies further back is gone for good, and the row says that from here on.
  await hole.filter({ hasText: 'no longer kept and are missing here' }).waitFor();
  assert.equal(await hole.getByRole('button').count(), 0);
  assert.deepEqual((await hana.places()).slice(1), upFrom(42, 121), 'without another gap');
});

story('a log that was changed on its way is noticed, said, and read anew', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await duri.says('before the lie');
  await hana.hears('before the lie');

  network.alters('the door is shut', 'the door is open');
  await duri.says('the door is shut');
  await hana.page.getByTestId('resync').filter({ hasText: 'differ from the server' }).waitFor();
  await hana.hears('the door is shut');
  // What was told falsely stands above the row, what is true below it.
  const said = await hana.page.locator('li.message .message-text').allInnerTexts();
  const [first, second] = ['before the lie', 'the door is open'];
  assert.deepEqual(said, [first, second, first, 'the door is shut']);
  await hana.page.getByTestId('proof').filter({ hasText: '2 messages, none missing' }).waitFor();
  await hana.pictures('disproved');
  await duri.says('and locked');
  await hana.hears('and locked');
  await hana.page.getByTestId('proof').filter({ hasText: '3 messages, none missing' }).waitFor();
  await hana.hasUnread('general', 0);
}, { flags: QUICK_HEARTBEAT });

story('a message that is lost on its way is noticed and fetched', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await duri.says('one');
  await hana.hears('one');

  // A page passes over what it does not know.
  network.alters(/"entry"(?=(?:(?!"entry").)*the lost line)/s, '"trash"');
  await duri.says('the lost line');
  await duri.says('three');
  await hana.hearsInOrder(['one', 'the lost line', 'three']);
  await hana.page.getByTestId('proof').filter({ hasText: '3 messages, none missing' }).waitFor();
  assert.equal(await hana.page.getByTestId('resync').count(), 0);
});

story('after an absence the page proves that nothing is missing', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.opensRoom('general');
  await hana.says('one');
  await hana.hears('one');
  network.cuts();
  await hana.hasLostConnection();
  await stage.crowdSays('general', lines(12));
  network.heals();
  await hana.page.getByTestId('recovered').filter({ hasText: '12 messages recovered, none missing' }).waitFor();
  await hana.page.getByTestId('proof').filter({ hasText: '13 messages, none missing' }).waitFor();
  await hana.pictures('proof');
});
