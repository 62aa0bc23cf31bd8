// What axe finds on a page, with a name for each fault and the element that has it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Nothing on the screen keeps anybody out, as far as axe can tell. */
export async function isAccessible(person, state) {
  await person.page.evaluate(AXE);
  const found = await person.page.evaluate(async (rules) => {
    const { violations } = await globalThis.axe.run(document, { runOnly: rules });
    return violations.flatMap(({ id, help, nodes }) => {
      return nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`);
    });
  }, RULES);
  assert.deepEqual(found, [], `${state} keeps somebody out`);
}
