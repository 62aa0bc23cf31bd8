// What is unread is counted by the server, for each person and not for each window.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';

story('what came meanwhile is counted, mentions apart, and read once it was in sight', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');
  await hana.opensRoom('general');
  await hana.says('hello');
  await duri.hears('hello');
  await duri.hasUnread('general', 0);
  await duri.createsRoom('elsewhere');

  await hana.says('one');
  await hana.says('@두리야, 밥 먹었어?');
  await hana.says('three');
  await duri.hasUnread('general', 3);
  await duri.hasMentions('general', 1);
  await duri.pictures('unread');
  await duri.reloads();
  await duri.isConnected();
  await duri.hasUnread('general', 3);
  await duri.hasMentions('general', 1);

  await duri.opensRoom('general');
  await duri.page.locator('.unread-line').waitFor();
  await duri.pictures('new-messages');
  await duri.hasUnread('general', 0);
});

story('what was read in one window is read in the other', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');
  await duri.createsRoom('elsewhere');
  const beside = await stage.windowBeside(duri);
  await beside.opens('/');
  await beside.givesName('두리');
  await beside.isConnected();
  await beside.opensRoom('elsewhere');
  await hana.opensRoom('general');
  await hana.says('for both of your windows');
  await duri.hasUnread('general', 1);
  await beside.hasUnread('general', 1);
  await beside.opensRoom('general');
  await duri.hasUnread('general', 0);
});

story('a room with much unread opens at the first of it, with what stood before', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await stage.crowdSays('general', ['read this']);
  await hana.hears('read this');
  await hana.hasUnread('general', 0);
  await hana.createsRoom('elsewhere');
  const lines = Array.from({ length: 150 }, (_, n) => `line ${n + 1}`);
  await stage.crowdSays('general', lines);
  await hana.hasUnread('general', 150);
  await hana.reloads();
  await hana.isConnected();
  await hana.hasUnread('general', 150);
  await hana.opensRoom('general');
  await hana.hears('line 1');
  await hana.hears('read this');
  const shown = await hana.message('line 1').evaluate((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    const list = row.closest('.messages').getBoundingClientRect();
    return top >= list.top && bottom <= list.bottom;
  });
  assert.ok(shown, 'the first unread message is in sight');
  await hana.pictures('first-unread');
});

story('a room in which one has spoken opens at the first unread message as well', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  await hana.says('back in a minute');
  await hana.hasUnread('general', 0);
  await hana.hasNothingPending();
  await hana.createsRoom('elsewhere');
  await stage.crowdSays('general', Array.from({ length: 80 }, (_, n) => `line ${n + 1}`));
  await hana.hasUnread('general', 80);

  await hana.opensRoom('general');
  await hana.hears('line 80');
  await hana.hasInSight('line 1');
});
