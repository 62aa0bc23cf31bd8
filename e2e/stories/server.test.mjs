// The server dies and is started again: what it acknowledged is there, and the log goes on.

import assert from 'node:assert/strict';

import { QUICK_HEARTBEAT } from '../stage/server.mjs';
import { story } from '../stage/story.mjs';

story('a killed server comes back with all it acknowledged, and the page resends and goes on', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.says('before it died');
  await duri.hears('before it died');

  await stage.server.dies();
  await hana.hasLostConnection();
  await duri.hasLostConnection();
  await hana.says('nobody takes this');
  await hana.hasPending('nobody takes this', 'queued');

  await stage.server.startsAgain();
  await hana.isConnected();
  await duri.isConnected();
  await duri.hears('nobody takes this');
  await hana.hears('nobody takes this');
  await hana.hasNothingPending();

  for (const person of [hana, duri]) {
    assert.equal(await person.page.getByTestId('resync').count(), 0, 'the log goes on');
    await person.hearsInOrder(['before it died', 'nobody takes this']);
    await person.page.getByTestId('proof').filter({ hasText: '2 messages, none missing' }).waitFor();
  }

  await duri.says('it goes on');
  await hana.hears('it goes on');
}, { flags: QUICK_HEARTBEAT });

story('a server that is stopped in good order is followed to its next start', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');

  await stage.server.stops();
  await hana.hasLostConnection();
  await stage.server.startsAgain();
  await hana.isConnected();
  await hana.says('still here');
  await hana.hears('still here');
});
