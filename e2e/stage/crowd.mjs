// Eight people without a screen, who say more than one person may.

/**
 * Runs in a page: each of the browser's sessions is one of the crowd. They say the lines in their
 * order; who loses their connection comes back and says the line again under its id.
 */
export async function crowd({ room, lines }) {
  const ask = async (slot, path, body) => {
    const headers = { 'content-type': 'application/json', 'madang-slot': String(slot) };
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.json();
  };

  class Member {
    #slot;
    #socket;
    #waiting = new Map();

    constructor(slot) {
      this.#slot = slot;
    }

    async comes() {
      await ask(this.#slot, '/api/session', { name: `손님 ${this.#slot + 1}` });
      await this.#connects();
    }

    async says(id, body) {
      for (;;) {
        const reply = await this.#asks({ type: 'say', id, room, message_id: `line-${id}`, body }, id)
          .catch(() => this.#connects());
        if (reply?.type === 'ack') return;
        if (!reply) continue;
        if (!reply.error?.retryable) throw new Error(JSON.stringify(reply));
        await new Promise((resolve) => setTimeout(resolve, reply.error.retry_after_ms));
      }
    }

    leaves() {
      this.#socket.close();
    }

    async #connects() {
      const { ticket } = await ask(this.#slot, '/ws/ticket', {});
      this.#socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
      this.#socket.addEventListener('message', ({ data }) => this.#hears(JSON.parse(data)));
      this.#socket.addEventListener('close', () => this.#isCutOff());
      await new Promise((resolve, reject) => {
        this.#waiting.set('open', { resolve, reject });
        this.#socket.addEventListener('open', resolve, { once: true });
      });
      await this.#asks({ type: 'hello', ticket }, 'welcome');
      await this.#asks({ type: 'join', id: 1, room }, 1);
    }

    #asks(message, answer) {
      return new Promise((resolve, reject) => {
        // What is sent on a closed socket is dropped without a word.
        if (this.#socket.readyState !== WebSocket.OPEN) throw new Error('the connection was lost');
        this.#waiting.set(answer, { resolve, reject });
        this.#socket.send(JSON.stringify(message));
      });
    }

    #hears(message) {
      if (message.type === 'ping') this.#socket.send(JSON.stringify({ type: 'pong' }));
      this.#waiting.get(message.id ?? message.type)?.resolve(message);
    }

    #isCutOff() {
      for (const { reject } of this.#waiting.values()) reject(new Error('the connection was lost'));
      this.#waiting.clear();
    }
  }

  const people = [...Array(8).keys()].map((slot) => new Member(slot));
  await Promise.all(people.map((person) => person.comes()));
  for (const [n, body] of lines.entries()) await people[n % people.length].says(n + 2, body);
  for (const person of people) person.leaves();
}
