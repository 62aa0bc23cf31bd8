// Everything that can be done to a message, without a mouse.

import assert from 'node:assert/strict';

import { isAccessible } from '../stage/accessibility.mjs';
import { story } from '../stage/story.mjs';

story('one goes from message to message by arrows, and into its buttons by Tab', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  for (const person of [hana, duri]) await person.opensRoom('general');
  await duri.says('lunch?');
  await hana.hears('lunch?');
  await hana.says('helo');
  await hana.says('never mind');
  await hana.hasNothingPending();
  const { keyboard } = hana.page;
  const presses = async (...keys) => {
    for (const key of keys) await keyboard.press(key);
  };
  // Nobody presses the next key before the row shows what it offers.
  const goesTo = async (key, row) => {
    await presses(key);
    await hana.hasFocusOn(row);
    await hana.page.locator('li.message:focus .message-actions').waitFor();
  };

  await hana.composer.focus();
  await presses('Shift+Tab');
  await hana.hasFocusOn('Messages');
  await goesTo('ArrowUp', /never mind/);
  await goesTo('ArrowUp', /helo/);
  await goesTo('ArrowUp', /lunch\?/);
  await goesTo('ArrowDown', /helo/);
  await goesTo('ArrowUp', /lunch\?/);

  await presses('Tab');
  await hana.hasFocusOn('React');
  await hana.pictures('row-by-keys');
  await isAccessible(hana, 'a row and its buttons');
  await presses('Enter');
  await hana.hasFocusOn('👍');
  await presses('Tab', 'Tab', 'Enter');
  await duri.message('lunch?').getByRole('button', { name: '😂 1' }).waitFor();
  await hana.hasFocusOn(/lunch\?/);

  await presses('Tab');
  await hana.hasFocusOn('😂 1');
  await goesTo('ArrowDown', /helo/);
  await presses('Tab', 'Tab');
  await hana.hasFocusOn('Edit');
  await presses('Enter');
  await hana.isWriting();
  await hana.says('hello');
  await duri.hears('hello');

  await presses('Shift+Tab');
  await hana.hasFocusOn('Messages');
  await goesTo('ArrowUp', /never mind/);
  await presses('Tab', 'Tab', 'Tab');
  await hana.hasFocusOn('Delete');
  await presses('Enter');
  await hana.isAsked('Delete it for everybody?');
  await presses('Escape');
  await hana.hasFocusOn(/never mind/);
  assert.equal(await hana.page.getByText('Delete it for everybody?').count(), 0);
  await presses('Tab', 'Tab', 'Tab');
  await hana.hasFocusOn('Delete');
  await presses('Enter');
  await hana.isAsked('Delete it for everybody?');
  await presses('Enter');
  await duri.seesDeleted('never mind');
  await hana.hasFocusOn(/was deleted/);
  await presses('Escape');
  await hana.isWriting();
});

story('keys within a list of messages leave typing alone', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.says('one');
  await hana.hasNothingPending();
  await hana.composer.press('Shift+Tab');
  await hana.page.keyboard.press('ArrowUp');
  await hana.page.keyboard.type('two');
  assert.equal(await hana.composer.inputValue(), 'two');
});
