// The first thing that has to work, from beginning to end; also told against trunk's page.

import { story } from '../stage/story.mjs';

story('two windows talk both ways', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  await hana.says('안녕, 두리');
  await duri.hears('안녕, 두리');
  await duri.says('안녕, 하나');
  await hana.hears('안녕, 하나');

  await hana.hearsInOrder(['안녕, 두리', '안녕, 하나']);
  await duri.hearsInOrder(['안녕, 두리', '안녕, 하나']);
  await hana.hasNothingPending();
});

story('who comes is announced and a closed tab is announced as left', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');
  await hana.notices('두리 joined');
  await hana.seesPresent('두리');

  await duri.closesTheTab();
  await hana.notices('두리 left');
  await hana.seesAbsent('두리');
});

story('a reload is neither a leaving nor a coming, and loses nothing', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');
  await hana.notices('두리 joined');
  await duri.says('before');
  await hana.hears('before');

  await duri.reloads();
  await duri.isConnected();
  await duri.hears('before');
  await duri.says('after');
  await hana.hearsInOrder(['before', 'after']);
  await hana.noticesNothingOf('두리 left');
});
