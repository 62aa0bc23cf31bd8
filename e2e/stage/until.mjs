// Waiting for what Playwright has no word for, and never for ever.

const STEP_MS = 25;

/** Waits until `condition` holds; says what was waited for when it does not. */
export async function until(what, condition, { withinMs = 15_000 } = {}) {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`it did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

/** What `promise` comes to, or an error that names it when it takes too long. */
export async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not end within ${ms / 1000} s: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
