// Coming in: a name, and being remembered.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';

story('somebody comes in by a name and is remembered', async (stage) => {
  const hana = await stage.person();
  await hana.opens('/');
  await hana.nameField.waitFor();
  await hana.enters('하나');
  await hana.reloads();
  await hana.isConnected();
  assert.equal(await hana.nameField.count(), 0, 'the name is asked for once');
});

story('an empty or too long name is refused with its reason', async (stage) => {
  const hana = await stage.person();
  await hana.opens('/');
  for (const name of ['', '   ', '가'.repeat(41)]) {
    await hana.givesName(name);
    await hana.page.getByText('A name is one line of 1 to 40 characters.').waitFor();
    assert.equal(await hana.link.count(), 0);
  }
  await hana.enters('가'.repeat(40));
});

story('decomposed Hangul becomes the same name that everybody types', async (stage) => {
  const hana = await stage.enters('하나'.normalize('NFD'));
  await hana.opensRoom('general');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');
  await duri.seesPresent('하나'.normalize('NFC'));
});

story('a page that the server does not know is said so', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opens('/no/such/address');
  await hana.page.getByText('There is no such address').first().waitFor();
});
