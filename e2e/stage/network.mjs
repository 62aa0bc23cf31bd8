// One person's way to the server: a TCP proxy that can be cut, can stall, and can lie.

import net from 'node:net';

export class Network {
  #listener;
  #server;
  #weather = 'fine';
  #lines = new Set();
  #lie = (bytes) => bytes;

  /** A way to the server, on a port of its own. */
  static async to(server) {
    const network = new Network();
    network.#server = server;
    network.#listener = net.createServer((near) => network.#accept(near));
    await new Promise((resolve) => network.#listener.listen(0, '127.0.0.1', resolve));
    return network;
  }

  get address() {
    return `http://127.0.0.1:${this.#listener.address().port}`;
  }

  /** Every connection is reset, and every new one as well. */
  cuts() {
    this.#weather = 'cut';
    for (const line of this.#lines) line.reset();
  }

  /** Nothing passes any more and nobody is told, as in a tunnel. What is sent waits, as TCP lets it. */
  stalls() {
    this.#weather = 'stalled';
    for (const line of this.#lines) line.stall();
  }

  /** WebSockets are reset; pages and requests pass, as behind a proxy that knows no upgrade. */
  refusesSockets() {
    this.#weather = 'without sockets';
    for (const line of this.#lines) if (line.isSocket) line.reset();
  }

  /**
   * Once, what the server says is told otherwise. A frame says how long it is: what takes the
   * place of a text is as long.
   */
  alters(pattern, other) {
    this.#lie = (bytes) => {
      const said = bytes.toString('latin1');
      const told = said.replace(pattern, other);
      if (told === said) return bytes;
      if (told.length !== said.length) throw new Error(`${other} is not as long as what it replaces`);
      this.#lie = (bytes) => bytes;
      return Buffer.from(told, 'latin1');
    };
  }

  /** New connections pass, and what waited arrives, late. */
  heals() {
    this.#weather = 'fine';
    for (const line of this.#lines) line.flow();
  }

  async close() {
    for (const line of this.#lines) line.reset();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #accept(near) {
    if (this.#weather === 'cut') {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const line = new Line(near, this.#server.port, {
      stalled: this.#weather === 'stalled',
      tells: (bytes) => this.#lie(bytes),
      maySpeak: (line) => !(line.isSocket && this.#weather === 'without sockets'),
    });
    this.#lines.add(line);
    near.once('close', () => this.#lines.delete(line));
  }
}

/** One connection through the proxy. */
class Line {
  #near;
  #far;
  #stalled;
  #waiting = [];
  isSocket = false;

  constructor(near, port, { stalled, tells, maySpeak }) {
    this.#near = near;
    this.#stalled = stalled;
    this.#far = net.connect({ port, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    near.on('data', (bytes) => {
      // A keep-alive connection may carry requests before the one that upgrades.
      if (bytes.subarray(0, 8).toString('latin1').startsWith('GET /ws')) this.isSocket = true;
      if (maySpeak(this)) this.#when(() => this.#far.write(bytes));
      else this.reset();
    });
    this.#far.on('data', (bytes) => {
      const told = this.isSocket ? tells(bytes) : bytes;
      this.#when(() => near.write(told));
    });
    near.on('end', () => this.#when(() => this.#far.end()));
    this.#far.on('end', () => this.#when(() => near.end()));
    near.on('error', () => this.#when(() => this.reset()));
    this.#far.on('error', () => this.#when(() => this.reset()));
    near.on('close', () => this.#when(() => this.#far.destroy()));
    this.#far.on('close', () => this.#when(() => near.destroy()));
  }

  stall() {
    this.#stalled = true;
  }

  flow() {
    this.#stalled = false;
    for (const step of this.#waiting.splice(0)) step();
  }

  reset() {
    this.#waiting = [];
    this.#stalled = false;
    if (!this.#near.destroyed) this.#near.resetAndDestroy();
    this.#far.destroy();
  }

  /** Does a step at once or, in a stalled network, when it flows again: also an end passes late. */
  #when(step) {
    if (this.#stalled) this.#waiting.push(step);
    else step();
  }
}
