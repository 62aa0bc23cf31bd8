// Several rooms at once, addresses that lead to one, and rooms of two.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';
import { until } from '../stage/until.mjs';

story('two rooms at once, each with its own unread messages', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await hana.createsRoom('tech');
  await duri.joinsRoom('tech');

  // 하나 reads `tech`; what is said in `general` is counted, and what is said here is not.
  await duri.opensRoom('general');
  await duri.says('g1');
  await duri.says('g2');
  await hana.hasUnread('general', 2);
  await until('the title counts', async () => /2/.test(await hana.page.title()));
  await duri.opensRoom('tech');
  await duri.says('t1');
  await hana.hears('t1');
  await hana.hasUnread('tech', 0);

  await hana.opensRoom('general');
  await hana.hearsInOrder(['g1', 'g2']);
  await hana.hasUnread('general', 0);
  assert.equal(await hana.message('t1').count(), 0, 'rooms are apart');
});

story('a room that was left says nothing more and can be joined again', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.createsRoom('tea');
  const duri = await stage.enters('두리');
  await duri.joinsRoom('tea');
  await hana.notices('두리 joined');

  await duri.leavesRoom();
  await hana.seesAbsent('두리');
  await hana.says('you are away');
  await duri.joinsRoom('tea');
  await duri.hears('you are away');
});

story('an address leads to its room, by way of the name', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.createsRoom('산책');
  await hana.says('여기예요');
  await hana.hears('여기예요');

  const duri = await stage.person();
  await duri.opens('/rooms/산책');
  await duri.enters('두리');
  await duri.isIn('산책');
  await duri.hears('여기예요');
});

story('an address without a room is said so, and the room can be made', async (stage) => {
  const hana = await stage.person();
  await hana.opens('/rooms/nowhere');
  await hana.enters('하나');
  await hana.page.getByText('There is no room').first().waitFor();
  await hana.pictures('no-such-room');
  await hana.page.getByRole('button', { name: 'Create it' }).click();
  await hana.isIn('nowhere');
  await hana.says('now it exists');
  await hana.hears('now it exists');
});

story('two people talk where nobody else can see it', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  const sena = await stage.enters('세나');
  for (const person of [hana, duri, sena]) await person.opensRoom('general');

  await hana.writesPrivatelyTo('두리');
  await hana.says('just for you');
  await hana.hears('just for you');

  const room = new URL(hana.page.url()).pathname.split('/').at(-1);
  assert.match(room, /^dm-/);
  await duri.hasUnread(room, 1);
  await duri.opensRoom(room);
  await duri.hears('just for you');
  await duri.says('I see it');
  await hana.hears('I see it');
  await hana.pictures('private');

  assert.equal(await sena.page.locator(`a[data-room="${room}"]`).count(), 0);
  await sena.opens(`/rooms/${room}`);
  await sena.page.getByText('There is no room').first().waitFor();
});
