// One person's way to the server: a TCP proxy that can be cut and can stall.

import net from 'node:net';

export class Network {
  #listener;
  #server;
  #weather = 'fine';
  #lines = new Set();

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

  /** Nothing passes any more and nobody is told, as in a tunnel. */
  stalls() {
    this.#weather = 'stalled';
    for (const line of this.#lines) line.stall();
  }

  /** WebSockets are reset; pages and requests pass, as behind a proxy that knows no upgrade. */
  refusesSockets() {
    this.#weather = 'without sockets';
    for (const line of this.#lines) if (line.isSocket) line.reset();
  }

  /** New connections pass. What stalled stays lost: no network remembers it. */
  heals() {
    this.#weather = 'fine';
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
  isSocket = false;

  constructor(near, port, { stalled, maySpeak }) {
    this.#near = near;
    this.#stalled = stalled;
    this.#far = net.connect({ port, host: '127.0.0.1', noDelay: true });
    near.setNoDelay(true);
    near.on('data', (bytes) => {
      if (this.#stalled) return;
      // A keep-alive connection may carry requests before the one that upgrades.
      if (bytes.subarray(0, 8).toString('latin1').startsWith('GET /ws')) this.isSocket = true;
      if (maySpeak(this)) this.#far.write(bytes);
      else this.reset();
    });
    this.#far.on('data', (bytes) => {
      if (!this.#stalled) near.write(bytes);
    });
    near.on('end', () => this.#stalled || this.#far.end());
    this.#far.on('end', () => this.#stalled || near.end());
    near.on('error', () => this.reset());
    this.#far.on('error', () => this.#stalled || this.reset());
    near.on('close', () => this.#far.destroy());
    this.#far.on('close', () => this.#stalled || near.destroy());
  }

  stall() {
    this.#stalled = true;
  }

  reset() {
    this.#stalled = false;
    if (!this.#near.destroyed) this.#near.resetAndDestroy();
    this.#far.destroy();
  }
}
