// Korean and English, by the browser and by choice.

import assert from 'node:assert/strict';

import { story } from '../stage/story.mjs';
import { until } from '../stage/until.mjs';

story('the browser\'s language is spoken, and another can be chosen and is kept', async (stage) => {
  const hana = await stage.person({ locale: 'ko-KR' });
  await hana.opens('/');
  await hana.page.getByRole('button', { name: '들어가기' }).waitFor();
  await hana.enters('하나');
  await hana.speaks('ko');

  await hana.chooses('Language', 'English');
  await hana.speaks('en');
  await hana.reloads();
  await hana.isConnected();
  await hana.speaks('en');
  await hana.chooses('Language', '한국어');
  await hana.speaks('ko');
});

story('a coming and a going are told in Korean', async (stage) => {
  const hana = await stage.enters('하나', { locale: 'ko-KR' });
  await hana.opensRoom('general');
  const duri = await stage.enters('두리', { locale: 'ko-KR' });
  await duri.opensRoom('general');
  await hana.notices('두리 님이 들어왔습니다');
  await duri.closesTheTab();
  await hana.notices('두리 님이 나갔습니다');
});

story('light and dark follow the system until one is chosen, which is kept', async (stage) => {
  const hana = await stage.enters('하나', { colorScheme: 'dark' });
  await until('it is dark', async () => (await lightness(hana)) < 0.5);
  await hana.chooses('Colours', 'Light');
  await until('it is light', async () => (await lightness(hana)) > 0.5);
  await hana.reloads();
  await hana.isConnected();
  assert.ok((await lightness(hana)) > 0.5, 'the choice is kept');
});

/** How light the page's ground is, from 0 to 1, as the browser paints it. */
function lightness(person) {
  return person.page.evaluate(() => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
    return (red + green + blue) / 765;
  });
}
