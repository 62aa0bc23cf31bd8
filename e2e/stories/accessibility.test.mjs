// The main states, each in light and dark: axe finds nothing, and a picture is kept to look at.

import { isAccessible } from '../stage/accessibility.mjs';
import { story } from '../stage/story.mjs';

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

for (const colorScheme of ['light', 'dark']) {
  for (const [device, settings] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    for (const locale of ['ko-KR', 'en-US']) {
      const kind = `${locale.slice(0, 2)}-${colorScheme}-${device}`;

      story(`nobody is kept out: ${kind}`, async (stage) => {
        const network = await stage.network();
        const hana = await stage.person({ ...settings, colorScheme, locale, through: network });
        const looks = async (state) => {
          await hana.pictures(`${state}-${kind}`);
          await isAccessible(hana, state);
        };
        await hana.opens('/');
        await hana.nameField.waitFor();
        await looks('name');
        await hana.enters('하나');
        if (device === 'phone') await hana.seesRooms();
        await looks('rooms');

        await hana.createsRoom('마당');
        await looks('empty-room');
        const duri = await stage.person({ locale });
        await duri.opens('/rooms/마당');
        await duri.enters('두리');
        await talk(hana, duri);
        await looks('conversation');
        await change(hana, duri);
        await hana.message('좋아요. 여덟 시에 봐요.').hover();
        await looks('changed');
        if (device === 'phone') {
          await hana.showsPeople();
          await looks('people');
          await hana.page.keyboard.press('Escape');
        }

        network.cuts();
        await hana.hasLostConnection();
        await hana.says('연결되면 보내 주세요');
        await hana.banner.waitFor();
        await looks('offline');
      });
    }
  }
}

async function talk(hana, duri) {
  await duri.says('안녕하세요! 오늘 저녁에 마당에서 볼까요?');
  await hana.hears('안녕하세요! 오늘 저녁에 마당에서 볼까요?');
  await hana.says('좋아요. 일곱 시쯤 어때요?');
  await duri.hears('좋아요. 일곱 시쯤 어때요?');
  for (const line of ['Seven is fine. I will bring tea.', 'And a second line that is long enough '
    + 'to wrap on every screen, so that one can see how text stands on its edge.', '🍵🌙']) {
    await duri.says(line);
    await hana.hears(line);
  }
}

/** A sign, an edit, a deletion, a topic and a mention. */
async function change(hana, duri) {
  await duri.doesTo('좋아요. 일곱 시쯤 어때요?', /React|반응/);
  await duri.message('좋아요. 일곱 시쯤 어때요?').getByRole('button', { name: '👍' }).click();
  await hana.composer.press('ArrowUp');
  await hana.says('좋아요. 여덟 시에 봐요.');
  await duri.hears('좋아요. 여덟 시에 봐요.');
  await duri.doesTo('🍵🌙', /Delete|삭제/);
  await duri.message('🍵🌙').getByRole('group').getByRole('button', { name: /Delete|삭제/ }).click();
  await hana.seesDeleted('🍵🌙');
  await duri.page.getByTestId('topic').click();
  await duri.page.getByRole('textbox', { name: /Topic|주제/ }).fill('오늘 저녁 모임 — tea at eight');
  await duri.page.keyboard.press('Enter');
  await duri.says('@하나야, 늦지 마!');
  await hana.hears('@하나야, 늦지 마!');
}
