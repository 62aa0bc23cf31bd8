// What was written is kept until it is sent, whatever happens to the tab.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';

story('a reload keeps what was not sent, and the draft', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  network.refusesSockets();
  await hana.hasLostConnection();
  await hana.says('kept 1');
  await hana.says('kept 2');
  await hana.drafts('half a sent');

  await hana.reloads();
  await hana.composer.waitFor();
  assert.equal(await hana.composer.inputValue(), 'half a sent');

  network.heals();
  await hana.isConnected();
  await duri.hearsInOrder(['kept 1', 'kept 2']);
  await hana.hearsInOrder(['kept 1', 'kept 2']);
  await hana.hasNothingPending();
  assert.equal(await hana.composer.inputValue(), 'half a sent');
});

story('a tab that crashes offline has what was not sent, and the draft, when it is opened again', async (stage) => {
  const network = await stage.network();
  const hana = await stage.enters('하나', { through: network });
  const duri = await stage.enters('두리');
  await hana.opensRoom('general');
  await duri.opensRoom('general');

  network.refusesSockets();
  await hana.hasLostConnection();
  await hana.says('written before the crash');
  await hana.hasPending('written before the crash', 'queued');
  await hana.composer.pressSequentially('half a sentence, and th');
  await hana.crashes();

  await hana.reopensTheTab();
  assert.equal(await hana.nameField.inputValue(), '하나', 'Enter is enough');
  await hana.nameField.press('Enter');
  await hana.composer.waitFor();
  assert.equal(await hana.composer.inputValue(), 'half a sentence, and th');
  await hana.hasPending('written before the crash');
  await hana.pictures('after-a-crash');

  network.heals();
  await hana.isConnected();
  await hana.hasNothingPending();
  await hana.hears('written before the crash');
  await duri.hears('written before the crash');
  assert.equal(await hana.composer.inputValue(), 'half a sentence, and th');
});

story('a refused message says so and can be sent again, copied or discarded', async (stage) => {
  const hana = await stage.person();
  const refusing = await refuses(hana, 'please');
  await hana.enters('하나');
  await hana.opensRoom('general');
  const duri = await stage.enters('두리');
  await duri.opensRoom('general');

  await hana.says('please take this');
  await hana.says('please take that');
  await hana.says('this passes');
  await hana.hasPending('please take this', 'failed');
  await hana.hasPending('please take that', 'failed');
  await duri.hears('this passes');
  await hana.pictures('failed-message');

  const failed = (line) => hana.page.locator('li[data-state=failed]', { hasText: line });
  await failed('please take that').getByRole('button', { name: 'Discard' }).click();
  await failed('please take that').waitFor({ state: 'detached' });

  refusing.stop();
  await failed('please take this').getByRole('button', { name: 'Send again' }).click();
  await duri.hearsInOrder(['this passes', 'please take this']);
  await hana.hasNothingPending();
  assert.equal(await hana.page.getByText('please take that').count(), 0);
});

story('a text over the limit is not sent and stays', async (stage) => {
  const hana = await stage.enters('하나');
  await hana.opensRoom('general');
  const long = '가'.repeat(4_001);
  await hana.says(long);
  await hana.page.getByText('Too long by 1 character').waitFor();
  assert.equal(await hana.composer.inputValue(), long);
  await hana.says('가'.repeat(4_000));
  await hana.page.locator('li[data-seq]').first().waitFor();
});

/** Between the page and the server: says that begin with a word are refused for good. */
async function refuses(person, word) {
  let refusing = true;
  await person.page.routeWebSocket(/\/ws/, (page) => {
    const server = page.connectToServer();
    page.onMessage((text) => {
      const message = JSON.parse(text);
      if (!refusing || message.type !== 'say' || !message.body.startsWith(word)) {
        server.send(text);
        return;
      }
      const error = { code: 'forbidden', title: 'this is not allowed', status: 403, retryable: false };
      page.send(JSON.stringify({ type: 'error', id: message.id, error }));
    });
  });
  return { stop: () => (refusing = false) };
}
