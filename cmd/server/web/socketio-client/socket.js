// A Socket is this page in one namespace of a server: events with
// acknowledgements, over the connection of its manager.
import { Emitter, attempt } from './emitter.js';
import { PACKET } from './packet.js';
/** @import { Listener } from './emitter.js' */
/** @import { Manager } from './manager.js' */
/** @import { Auth } from './options.js' */
/** @import { Packet } from './packet.js' */

const own = ['connect', 'connect_error', 'disconnect'];

/** @typedef {{ volatile?: boolean, timeout?: number }} Flags  for the next emit */

/** A Socket tells 'connect', 'connect_error' and 'disconnect', and what the server emits. */
export class Socket extends Emitter {
  connected = false;
  recovered = false;
  /** @type {string | undefined} */
  id = undefined;
  /** @type {Auth | undefined} */
  auth;
  io;
  nsp;
  #active = false;
  /** @type {(() => void)[]} */
  #waiting = [];
  /** @type {Map<number, Listener>} */
  #acks = new Map();
  #lastAck = -1;
  /** @type {Listener[]} */
  #any = [];
  /** @type {string | undefined} */
  #pid;
  /** @type {string | undefined} */
  #offset;
  /** @type {Flags} */
  #flags = {};

  /**
   * @param {Manager} io
   * @param {string} namespace
   * @param {{ auth?: Auth }} [o]
   */
  constructor(io, namespace, o = {}) {
    super();
    this.io = io;
    this.nsp = namespace;
    this.auth = o.auth;
  }

  get disconnected() {
    return !this.connected;
  }

  /** active: it is connected, or will be as soon as the connection is there. */
  get active() {
    return this.#active;
  }

  connect() {
    if (this.connected) return this;
    const anew = !this.#active;
    this.#active = true;
    if (this.io.ready() && anew) this.opened();
    return this;
  }

  open() {
    return this.connect();
  }

  disconnect() {
    const was = this.connected;
    if (was) this.#send(PACKET.DISCONNECT);
    this.#active = false;
    this.#gone();
    this.io.release();
    if (was) this.tell('disconnect', 'io client disconnect');
    return this;
  }

  close() {
    return this.disconnect();
  }

  // What the manager tells.

  /** opened is when there is a connection: we say who we are. */
  opened() {
    const hello = (/** @type {object | undefined} */ auth) =>
      this.#send(PACKET.CONNECT, this.#pid ? { pid: this.#pid, offset: this.#offset, ...auth } : auth);
    if (typeof this.auth === 'function') this.auth(hello);
    else hello(this.auth);
  }

  /**
   * lost is when it is gone.
   * @param {string} reason
   * @param {unknown} error
   */
  lost(reason, error) {
    const was = this.connected;
    this.#gone();
    if (was) this.tell('disconnect', reason);
    else this.tell('connect_error', error);
  }

  #gone() {
    this.connected = false;
    this.id = undefined;
    this.#acks.clear();
  }

  /** packet takes in what is for this namespace. */
  packet(/** @type {Packet} */ { type, id, data }) {
    switch (type) {
      case PACKET.CONNECT:
        this.id = data.sid;
        this.recovered = data.pid !== undefined && data.pid === this.#pid;
        this.#pid = data.pid;
        this.connected = true;
        this.io.settled();
        this.tell('connect');
        for (const send of this.#waiting.splice(0)) send();
        break;
      case PACKET.DISCONNECT: // the server's wish
        this.#active = false;
        this.#gone();
        this.tell('disconnect', 'io server disconnect');
        this.io.release();
        break;
      case PACKET.EVENT: {
        const args = id === undefined ? data : [...data, (/** @type {any[]} */ ...reply) => this.#send(PACKET.ACK, reply, id)];
        for (const f of this.#any) attempt(f, args);
        this.tell(String(args[0]), ...args.slice(1));
        if (this.#pid && typeof args.at(-1) === 'string') this.#offset = args.at(-1);
        break;
      }
      case PACKET.ACK: {
        const f = this.#acks.get(id ?? -1);
        this.#acks.delete(id ?? -1);
        if (f) attempt(f, data);
        break;
      }
      case PACKET.CONNECT_ERROR:
        this.#active = false;
        this.tell('connect_error', Object.assign(new Error(data.message), { data: data.data }));
        this.io.release();
        break;
      default: // no other comes out of a decoder
    }
  }

  #send(/** @type {number} */ type, /** @type {unknown} */ data = undefined, /** @type {number | undefined} */ id = undefined) {
    this.io.send({ type, namespace: this.nsp, id, data });
  }

  /** volatile lets the next emit be dropped while there is no connection. */
  get volatile() {
    this.#flags.volatile = true;
    return this;
  }

  /** timeout lets the next emit's callback be called with an error first. */
  timeout(/** @type {number} */ ms) {
    this.#flags.timeout = ms;
    return this;
  }

  emit(/** @type {string} */ event, /** @type {any[]} */ ...args) {
    if (own.includes(event)) throw new Error(`"${event}" is the client's own event`);
    const { volatile, timeout } = this.#flags;
    this.#flags = {};
    const id = typeof args.at(-1) === 'function' ? this.#expect(args.pop(), timeout) : undefined;
    const send = () => this.#send(PACKET.EVENT, [event, ...args], id);
    if (this.connected) send();
    else if (!volatile) this.#waiting.push(send);
    return this;
  }

  // #expect has f called with the answer to what goes out under the id that it
  // returns.
  #expect(/** @type {Listener} */ f, /** @type {number | undefined} */ timeout) {
    const id = ++this.#lastAck;
    if (timeout === undefined) {
      this.#acks.set(id, f);
      return id;
    }
    const timer = setTimeout(() => {
      this.#acks.delete(id);
      f(new Error('operation has timed out'));
    }, timeout);
    this.#acks.set(id, (...reply) => {
      clearTimeout(timer);
      f(null, ...reply);
    });
    return id;
  }

  send(/** @type {any[]} */ ...args) {
    return this.emit('message', ...args);
  }

  emitWithAck(/** @type {string} */ event, /** @type {any[]} */ ...args) {
    const timed = this.#flags.timeout !== undefined;
    return new Promise((done, fail) => {
      this.emit(event, ...args, (/** @type {any[]} */ ...reply) => {
        if (timed && reply[0]) fail(reply[0]);
        else done(reply[timed ? 1 : 0]);
      });
    });
  }

  onAny(/** @type {Listener} */ f) {
    this.#any = [...this.#any, f];
    return this;
  }

  offAny(/** @type {Listener | undefined} */ f = undefined) {
    this.#any = f ? this.#any.filter((g) => g !== f) : [];
    return this;
  }
}
