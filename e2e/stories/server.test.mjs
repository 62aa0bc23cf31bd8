// The server dies and is started again: until a store exists, its log begins anew, and it is said.

import { story } from '../stage/story.mjs';

story('a killed server comes back and the page says what happened, resends and goes on', async (stage) => {
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
    await person.page.getByTestId('resync').filter({ hasText: 'log began anew' }).waitFor();
    await person.hears('before it died');
  }
  await hana.pictures('server-began-anew');

  await duri.says('it goes on');
  await hana.hears('it goes on');
});

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
