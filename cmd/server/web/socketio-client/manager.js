// A Manager is the connection to a server, made again when it is lost, and shared
// by the sockets of its namespaces.
import { Emitter } from './emitter.js';
import { Engine } from './engine.js';
import { withDefaults } from './options.js';
import { Decoder, encode } from './packet.js';
import { Socket } from './socket.js';
/** @import { Auth, Options } from './options.js' */
/** @import { Packet } from './packet.js' */

/**
 * A Manager tells 'open', 'upgrade', 'close' and 'error', and 'reconnect_attempt',
 * 'reconnect', 'reconnect_error' and 'reconnect_failed'.
 */
export class Manager extends Emitter {
  /** @type {Engine | undefined} the session that there is, or was */
  engine = undefined;
  #url;
  #o;
  /** @type {Map<string, Socket>} by namespace */
  #sockets = new Map();
  /** @type {'closed' | 'opening' | 'open'} */
  #state = 'closed';
  #wanted = false;
  #tries = 0;
  /** @type {number | undefined} */
  #again; // the timer of the next try

  /**
   * @param {string | URL | Partial<Options>} [address]  of the server; without one, that of the page
   * @param {Partial<Options>} [options]
   */
  constructor(address, options) {
    super();
    if (typeof address === 'object' && !(address instanceof URL)) [address, options] = [undefined, address];
    this.#o = withDefaults(options);
    const u = new URL(address ?? location.origin, globalThis.location?.href);
    u.pathname = this.#o.path.replace(/\/?$/, '/');
    this.#url = u.href;
    if (this.#o.autoConnect) this.open();
  }

  /**
   * socket returns the socket of a namespace.
   * @param {string} namespace
   * @param {{ auth?: Auth }} [o]
   */
  socket(namespace, o = this.#o) {
    let socket = this.#sockets.get(namespace);
    if (!socket) {
      socket = new Socket(this, namespace, o);
      this.#sockets.set(namespace, socket);
    }
    return this.#o.autoConnect ? socket.connect() : socket;
  }

  /** open connects now, if it has not and is not about to. */
  open() {
    this.#wanted = true;
    if (this.#state === 'closed') this.#dial();
    return this;
  }

  connect() {
    return this.open();
  }

  // Each of these returns a setting, or sets it.
  reconnection(/** @type {boolean[]} */ ...v) { return this.#setting('reconnection', v); }
  reconnectionAttempts(/** @type {number[]} */ ...v) { return this.#setting('reconnectionAttempts', v); }
  reconnectionDelay(/** @type {number[]} */ ...v) { return this.#setting('reconnectionDelay', v); }
  reconnectionDelayMax(/** @type {number[]} */ ...v) { return this.#setting('reconnectionDelayMax', v); }
  randomizationFactor(/** @type {number[]} */ ...v) { return this.#setting('randomizationFactor', v); }
  timeout(/** @type {number[]} */ ...v) { return this.#setting('timeout', v); }

  /**
   * @template {keyof Options} K
   * @param {K} name
   * @param {Options[K][]} v
   */
  #setting(name, v) {
    if (v.length === 0) return this.#o[name];
    this.#o[name] = v[0];
    return this;
  }

  // What the sockets use.

  /** ready connects, unless that is due anyway, and reports whether there is a connection already. */
  ready() {
    if (this.#again === undefined) this.open();
    return this.#state === 'open';
  }

  /** release is when a socket needs the connection no more. */
  release() {
    if (this.#active.length > 0) return;
    this.#wanted = false;
    this.#stop();
    this.engine?.close();
  }

  /** settled is when the server has taken a socket in: the next loss is a new story. */
  settled() {
    const tries = this.#tries;
    this.#tries = 0;
    if (tries > 0) this.tell('reconnect', tries);
  }

  send(/** @type {Packet} */ packet) {
    this.engine?.send(...encode(packet));
  }

  get #active() {
    return [...this.#sockets.values()].filter((s) => s.active);
  }

  #stop() {
    clearTimeout(this.#again);
    this.#again = undefined;
  }

  #dial() {
    this.#stop();
    const engine = new Engine(this.#url, this.#o);
    const decoder = new Decoder();
    this.engine = engine;
    this.#state = 'opening';
    engine.on('open', () => {
      this.#state = 'open';
      this.tell('open');
      for (const s of this.#active) s.opened();
    });
    engine.on('message', (m) => {
      let packet;
      try {
        packet = decoder.add(m);
      } catch (e) {
        engine.close('parse error', e);
      }
      if (packet) this.#sockets.get(packet.namespace)?.packet(packet);
    });
    engine.on('upgrade', (transport) => this.tell('upgrade', transport));
    engine.on('close', (reason, error = new Error(reason)) => this.#closed(reason, error));
  }

  // #closed is when the connection is over; unless the page or the server wanted
  // that, it is tried again, later each time.
  #closed(/** @type {string} */ reason, /** @type {unknown} */ error) {
    const never = this.#state === 'opening';
    this.#state = 'closed';
    if (never) this.tell('error', error);
    if (never && this.#tries > 0) this.tell('reconnect_error', error);
    this.tell('close', reason);
    for (const s of this.#active) if (s.active) s.lost(reason, error); // one may end another
    if (!this.#wanted || !this.#o.reconnection || this.#state !== 'closed') return;
    if (this.#tries >= this.#o.reconnectionAttempts) {
      this.#tries = 0;
      this.tell('reconnect_failed');
      return;
    }
    const { reconnectionDelay, reconnectionDelayMax, randomizationFactor } = this.#o;
    const delay = Math.min(reconnectionDelay * 2 ** this.#tries++, reconnectionDelayMax);
    this.#again = setTimeout(() => {
      this.tell('reconnect_attempt', this.#tries);
      if (this.#wanted && this.#state === 'closed') this.#dial();
    }, delay * (1 + (Math.random() - 0.5) * 2 * randomizationFactor));
  }
}
