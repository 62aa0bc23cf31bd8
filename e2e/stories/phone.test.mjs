// One pane at a time, and nothing to push sideways.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';

for (const width of [390, 320]) {
  const phone = { viewport: { width, height: 844 }, hasTouch: true, isMobile: true };

  story(`at ${width} px everything is reachable and nothing scrolls sideways`, async (stage) => {
    const duri = await stage.enters('두리');
    await duri.opensRoom('general');
    await duri.says(`a_long_word_${'x'.repeat(300)}`);
    await duri.says('https://example.org/' + 'y'.repeat(300));

    const hana = await stage.person(phone);
    await hana.opens('/');
    await hana.nameField.waitFor();
    await hana.isNotScrolledSideways();
    await hana.enters('하나');
    await hana.isNotScrolledSideways();
    await hana.opensRoom('general');
    await hana.page.locator('li[data-seq]').nth(1).waitFor();
    await hana.isNotScrolledSideways();

    await hana.showsPeople();
    await hana.seesPresent('두리');
    await hana.isNotScrolledSideways();
    await hana.page.keyboard.press('Escape');
    await hana.page.getByTestId('people').waitFor({ state: 'hidden' });

    await hana.seesRooms();
    await hana.page.locator('a[data-room=general]').waitFor();
    await hana.isNotScrolledSideways();
  });

  story(`at ${width} px Enter makes a new line and the button sends`, async (stage) => {
    const hana = await stage.enters('하나', phone);
    await hana.opensRoom('general');
    await hana.composer.fill('first');
    await hana.composer.press('Enter');
    await hana.composer.pressSequentially('second');
    assert.equal(await hana.composer.inputValue(), 'first\nsecond');
    await hana.page.getByRole('button', { name: 'Send', exact: true }).tap();
    await hana.page.locator('li[data-seq]', { hasText: /first\s+second/ }).waitFor();
    assert.equal(await hana.composer.inputValue(), '');
  });
}
