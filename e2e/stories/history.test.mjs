// Reading back as far as there is anything, and forth again; what is missing can be seen.

import assert from 'node:assert/strict';

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
