// Waiting for a condition that Playwright has no word for.

const STEP_MS = 25;

/** Waits until `condition` holds; says what was waited for when it does not. */
export async function until(what, condition, { withinMs = 15_000 } = {}) {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
