// Korean input as browsers deliver it: one Enter commits and sends, and nothing stays behind.

import assert from 'node:assert/strict';

import { Keyboard } from '../stage/keyboard.mjs';
import { story } from '../stage/story.mjs';

story('Hangul is sent once by one Enter and leaves nothing behind', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.composer.focus();
  const keyboard = await Keyboard.of(hana);

  await keyboard.composes('ㅎ', '하', '한');
  await keyboard.enters('한');
  await duri.hears('한');
  assert.equal(await hana.composer.inputValue(), '');

  await keyboard.composes('ㄱ', '그', '글');
  await keyboard.enters('글');
  await duri.hearsInOrder(['한', '글']);
  assert.equal(await hana.composer.inputValue(), '', 'no last syllable comes back');
  await hana.hearsInOrder(['한', '글']);
});

story('keys within a composition send nothing and close nothing', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.composer.focus();
  const keyboard = await Keyboard.of(hana);

  await keyboard.composes('ㅁ', '마');
  for (const key of ['Enter', 'Escape', 'Tab', 'ArrowUp']) await keyboard.pressesInComposition(key);
  assert.equal(await hana.composer.inputValue(), '마');
  await keyboard.commits('마');
  await keyboard.composes('ㄷ', '다', '당');
  await keyboard.enters('당');

  await duri.hears('마당');
  await duri.hearsInOrder(['마당']);
  assert.equal(await duri.page.locator('li[data-seq]').count(), 1);
});

story('Shift and Enter makes a new line, Control and Enter always sends', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  await hana.composer.fill('first');
  await hana.composer.press('Shift+Enter');
  await hana.composer.pressSequentially('second');
  assert.equal(await hana.composer.inputValue(), 'first\nsecond');
  await hana.composer.press('Control+Enter');
  await duri.page.locator('li[data-seq]', { hasText: /first\s+second/ }).waitFor();
});

story('any printable key goes to the composer', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.page.getByRole('heading').first().click();
  await hana.page.keyboard.type('hi');
  assert.equal(await hana.composer.inputValue(), 'hi');
});
