// Runs the page's part of each section of a document, one after the other, and
// says what it has printed, a line of JSON each.
//
//   node client.mjs FOLDER URL < sections
//
// sections is JSON: [{path, script}]. A script is the body of an async function
// of three arguments, as the document says: io, next and print.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const { io: connect } = createRequire(resolve(process.argv[2], 'package.json'))('socket.io-client');
const base = process.argv[3];

/** Everything that came to a socket and was not asked for yet. */
class Heard {
  #came = new Map();
  #waiting = new Map();

  constructor(socket) {
    socket.onAny((event, ...args) => this.#put(event, args));
    for (const event of ['connect', 'connect_error', 'disconnect']) {
      socket.on(event, (...args) => this.#put(event, args));
    }
  }

  #put(event, args) {
    const value = args.length > 1 ? args : args[0];
    const first = this.#list(this.#waiting, event).shift();
    if (first) first(value);
    else this.#list(this.#came, event).push(value);
  }

  next(event) {
    const came = this.#list(this.#came, event);
    if (came.length) return Promise.resolve(came.shift());
    return new Promise((done) => this.#list(this.#waiting, event).push(done));
  }

  #list(map, event) {
    if (!map.has(event)) map.set(event, []);
    return map.get(event);
  }
}

const AsyncFunction = (async () => {}).constructor;

for (const { path, script } of JSON.parse(await text(process.stdin))) {
  const sockets = new Map();
  const lines = [];
  const io = (namespace = '/', options = {}) => {
    if (typeof namespace !== 'string') [namespace, options] = ['/', namespace];
    const socket = connect(base + namespace, { path, forceNew: true, ...options });
    sockets.set(socket, new Heard(socket));
    return socket;
  };
  const next = (socket, event) => sockets.get(socket).next(event);
  const print = (...values) => lines.push(values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v))).join(' '));
  try {
    await new AsyncFunction('io', 'next', 'print', script)(io, next, print);
  } catch (e) {
    lines.push(`failed: ${e.stack ?? e}`);
  }
  for (const socket of sockets.keys()) socket.disconnect();
  process.stdout.write(JSON.stringify({ path, text: lines.join('\n') }) + '\n');
}
process.exit(0);
