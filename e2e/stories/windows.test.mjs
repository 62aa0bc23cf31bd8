// Two windows of one browser: one guest or two, as the names are.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';

story('two windows of one browser are two guests', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.opensRoom('general');
  const duri = await stage.windowBeside(hana);
  await duri.enters('두리');
  await duri.opensRoom('general');
  await hana.seesPresent('두리');

  await hana.says('안녕, 두리');
  await duri.hears('안녕, 두리');
  await duri.says('안녕, 하나');
  await hana.hears('안녕, 하나');

  // Each goes on as who it was, and sends what it has written itself.
  network.refusesSockets();
  await hana.hasLostConnection();
  await duri.hasLostConnection();
  await hana.says('written by hana');
  await duri.says('written by duri');
  await hana.reloads();
  await duri.reloads();
  await hana.composer.waitFor();
  await duri.composer.waitFor();
  assert.equal(await hana.page.getByText('written by duri').count(), 0);
  network.heals();
  await hana.isConnected();
  await duri.isConnected();
  await hana.hears('written by duri');
  await duri.hears('written by hana');
  assert.equal(await hana.authorOf('written by duri'), '두리');
  assert.equal(await hana.authorOf('written by hana'), '하나');
});

story('a name that the browser knows goes on as the same guest', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.says('from the first window');
  const again = await stage.windowBeside(hana);
  await again.opens('/');
  assert.equal(await again.nameField.inputValue(), '하나', 'Enter is enough');
  await again.nameField.press('Enter');
  await again.isConnected();
  await again.hears('from the first window');
  await hana.noticesNothingOf('하나 joined');
  assert.equal(await hana.page.getByTestId('people').locator('li').count(), 1);
});

story('signing out in one window leaves the other guest inside', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  const duri = await stage.windowBeside(hana);
  await duri.enters('두리');
  await hana.page.getByRole('button', { name: 'Settings' }).click();
  await hana.page.getByRole('button', { name: 'Sign out' }).click();
  await hana.nameField.waitFor();

  await duri.reloads();
  await duri.isConnected();
  await duri.opensRoom('general');
  await duri.seesAbsent('하나');
  await duri.says('still here');
  await duri.hears('still here');
});
