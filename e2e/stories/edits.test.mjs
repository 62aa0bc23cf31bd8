// Saying it otherwise, taking it back, a sign on it; seen by who is there and by who was away.

import assert from 'node:assert/strict';

import { Keyboard } from '../stage/keyboard.mjs';
import { story } from '../stage/story.mjs';

story('an edit and a deletion reach who is there and who was away', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  const sena = await stage.enters('세나', { through: network });
  for (const person of [hana, duri, sena]) await person.opensRoom('general');
  await hana.says('meet at nine');
  await hana.says('never mind');
  await sena.hears('never mind');

  network.cuts();
  await sena.hasLostConnection();
  await hana.doesTo('meet at nine', 'Edit');
  await hana.pictures('editing');
  await hana.says('meet at ten');
  await duri.hears('meet at ten');
  assert.equal(await duri.message('meet at nine').count(), 0);
  await hana.doesTo('never mind', 'Delete');
  await hana.pictures('deleting');
  await hana.message('never mind').getByRole('group').getByRole('button', { name: 'Delete' }).click();
  await duri.seesDeleted('never mind');

  network.heals();
  await sena.hears('meet at ten');
  await sena.seesDeleted('never mind');
  await sena.pictures('edited-and-deleted');

  const neo = await stage.enters('네오');
  await neo.opensRoom('general');
  await neo.hears('meet at ten');
  await neo.seesDeleted('never mind');
});

story('Up edits the last message, Escape gives it up, and the draft is there again', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.says('helo');
  await hana.hasNothingPending();
  await hana.composer.press('ArrowUp');
  assert.equal(await hana.composer.inputValue(), 'helo');
  await hana.composer.fill('something else');
  await hana.composer.press('Escape');
  assert.equal(await hana.composer.inputValue(), '');
  await hana.hears('helo');

  await hana.composer.press('ArrowUp');
  await hana.says('hello');
  await hana.hears('hello');
  assert.equal(await hana.composer.inputValue(), '');
});

story('a draft, an edit and what waits for sending survive a reload', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.opensRoom('general');
  await hana.says('helo');
  await hana.hasNothingPending();
  await hana.drafts('for later');
  await hana.reloads();
  await hana.isConnected();
  assert.equal(await hana.composer.inputValue(), 'for later');

  await hana.drafts('');
  await hana.composer.press('ArrowUp');
  await hana.composer.fill('hello');
  await hana.reloads();
  await hana.isConnected();
  await hana.page.getByText('Editing a message').waitFor();
  assert.equal(await hana.composer.inputValue(), 'hello');
  await hana.composer.press('Enter');
  await hana.hears('hello');
});

story('Hangul in an edit is sent once by one Enter', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.says('안녕하세');
  await hana.hasNothingPending();
  await hana.composer.press('ArrowUp');
  await hana.composer.press('End');
  const keyboard = await Keyboard.of(hana);
  await keyboard.composes('ㅇ', '요');
  await keyboard.pressesInComposition('Escape');
  await keyboard.enters('요');
  await duri.hears('안녕하세요');
  assert.equal(await hana.composer.inputValue(), '');
  assert.equal(await duri.page.locator('li[data-seq]').count(), 1);
});

story('signs are counted, and one takes one\'s own back', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.says('lunch?');
  await duri.hears('lunch?');
  await duri.doesTo('lunch?', 'React');
  await duri.pictures('reacting');
  await duri.message('lunch?').getByRole('button', { name: '👍' }).click();
  const sign = hana.message('lunch?').getByRole('button', { name: '👍 1' });
  await sign.click();
  await duri.message('lunch?').getByRole('button', { name: '👍 2' }).waitFor();
  await hana.message('lunch?').getByRole('button', { name: '👍 2' }).click();
  await duri.message('lunch?').getByRole('button', { name: '👍 1' }).waitFor();
  await duri.pictures('signs');
});

story('the topic is set by one and seen by all', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.page.getByTestId('topic').click();
  await hana.page.getByRole('textbox', { name: 'Topic' }).fill('이번 주 배포');
  await hana.page.keyboard.press('Enter');
  await duri.page.getByTestId('topic').filter({ hasText: '이번 주 배포' }).waitFor();
  await duri.page.getByText('하나 set the topic: 이번 주 배포').waitFor();
  await duri.reloads();
  await duri.page.getByTestId('topic').filter({ hasText: '이번 주 배포' }).waitFor();
});
