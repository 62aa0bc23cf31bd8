// A Korean keyboard as Chromium delivers it.

/** What a Korean keyboard does in Chromium, key by key. */
export class Keyboard {
  #devtools;

  static async of(person) {
    const keyboard = new Keyboard();
    keyboard.#devtools = await person.devtools();
    return keyboard;
  }

  /** The syllable under the cursor, not yet committed. */
  async composes(...steps) {
    for (const text of steps) {
      const at = { selectionStart: text.length, selectionEnd: text.length };
      await this.#key('rawKeyDown', { key: 'Process', windowsVirtualKeyCode: 229 });
      await this.#devtools.send('Input.imeSetComposition', { text, ...at });
    }
  }

  /** The composition becomes text. */
  async commits(text) {
    await this.#devtools.send('Input.insertText', { text });
  }

  /** A key that belongs to the composition: the page gets it with code 229. */
  async pressesInComposition(key) {
    await this.#key('rawKeyDown', { key, code: key, windowsVirtualKeyCode: 229 });
  }

  /** Enter as Chromium delivers it while a syllable is open: 229, the commit, then the key itself. */
  async enters(text) {
    await this.pressesInComposition('Enter');
    await this.commits(text);
    await this.#key('keyDown', { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' });
    await this.#key('keyUp', { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 });
  }

  #key(type, key) {
    return this.#devtools.send('Input.dispatchKeyEvent', { type, ...key });
  }
}
