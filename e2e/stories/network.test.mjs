// The network goes and comes back; nothing is missing, doubled or out of order, and it is said.

import assert from 'node:assert/strict';

import { QUICK_HEARTBEAT } from '../stage/server.mjs';
import { story } from '../stage/story.mjs';
import { until } from '../stage/until.mjs';

story('a cut network comes back and what was said meanwhile arrives in order and once', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');
  await hana.says('before the cut');
  await duri.hears('before the cut');

  network.cuts();
  await hana.hasLostConnection();
  for (const line of ['from here 1', 'from here 2', 'from here 3']) await hana.says(line);
  await hana.hasPending('from here 1', 'queued');
  for (const line of ['from there 1', 'from there 2', 'from there 3']) await duri.says(line);
  await duri.hears('from there 3');

  network.heals();
  await hana.isConnected();
  const said = ['before the cut', 'from there 1', 'from there 2', 'from there 3',
    'from here 1', 'from here 2', 'from here 3'];
  await duri.hearsInOrder(said);
  await hana.hearsInOrder(said);
  await hana.hasNothingPending();
});

story('after a cut the page says how many messages it recovered', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  network.cuts();
  await hana.hasLostConnection();
  for (const line of ['one', 'two', 'three']) await duri.says(line);
  await duri.hears('three');

  network.heals();
  const recovered = hana.page.getByTestId('recovered');
  await recovered.filter({ hasText: '3 messages recovered, none missing' }).waitFor();
  await hana.hearsInOrder(['one', 'two', 'three']);
  await recovered.waitFor({ state: 'detached' });
});

story('a stalled network is noticed by the missing heartbeat and left behind', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  network.stalls();
  await hana.says('into the tunnel');
  await duri.says('while you were in the tunnel');
  await hana.hasPending('into the tunnel');
  await hana.hasLostConnection();

  // What was sent into the tunnel arrives on the old connection as well: it is taken once.
  network.heals();
  await hana.isConnected();
  await duri.hearsInOrder(['while you were in the tunnel', 'into the tunnel']);
  await hana.hearsInOrder(['while you were in the tunnel', 'into the tunnel']);
}, { flags: QUICK_HEARTBEAT });

story('the banner comes after five seconds, counts down, and reconnects at once when asked', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  await hana.opensRoom('general');

  network.cuts();
  await hana.hasLostConnection();
  const lost = performance.now();
  assert.equal(await hana.banner.count(), 0, 'a short cut is nobody\'s concern');
  await hana.banner.waitFor();
  const seconds = (performance.now() - lost) / 1000;
  assert.ok(seconds > 4 && seconds < 8, `the banner came after ${seconds.toFixed(1)} s`);
  await hana.pictures('lost-connection');

  // The waits grow; somewhere among them is one long enough to be counted down and cut short.
  await until('the banner counts down', async () => /\d+ s/.test(await words(hana.banner)));
  network.heals();
  await hana.page.getByRole('button', { name: 'Reconnect now' }).click();
  await hana.isConnected();
  await hana.banner.waitFor({ state: 'detached' });
});

story('the browser says it is offline and then online, and the page is back within seconds', async (stage) => {
  const hana = await stage.enters('하나');
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  await hana.goesOffline();
  await hana.hasLostConnection();
  await duri.says('are you there?');
  await duri.hears('are you there?');

  await hana.goesOnline();
  await hana.hears('are you there?');
}, { flags: QUICK_HEARTBEAT });

async function words(locator) {
  return (await locator.count()) === 0 ? '' : locator.innerText();
}
