// Scrolling to where the next page of the log is loaded, frame by frame within the page.

/**
 * Scrolls to this edge of the list and waits until rows were added there. Gives by how many pixels
 * that moved what stood in the middle.
 */
export async function scrollsBeyond(page, edge) {
  return page.evaluate(async (edge) => {
    const list = document.querySelector('.messages');
    const rows = () => [...list.querySelectorAll('li[data-seq]')];
    const ends = () => [rows()[0].dataset.seq, rows().at(-1).dataset.seq].join();
    const before = ends();
    list.scrollTop = edge === 'top' ? 250 : list.scrollHeight - list.clientHeight - 250;
    const middle = list.getBoundingClientRect().top + list.clientHeight / 2;
    const read = rows().find((row) => row.getBoundingClientRect().bottom > middle);
    const at = () => read.getBoundingClientRect().bottom;
    const [stood, deadline] = [at(), performance.now() + 10_000];
    while (ends() === before && performance.now() < deadline) await new Promise(requestAnimationFrame);
    // A busy machine may paint between the rows and their place: a few frames, and no more.
    for (let frame = 0; frame < 6; frame += 1) {
      await new Promise(requestAnimationFrame);
      if (Math.abs(at() - stood) <= 1) break;
    }
    return Math.abs(at() - stood);
  }, edge);
}
