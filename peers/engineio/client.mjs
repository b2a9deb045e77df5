// A client of Engine.IO that plays one exchange and prints what it saw as one
// line of JSON.
//
//   node client.mjs FOLDER PACKAGE '{"url": …, "play": …, "options": {…}}'
//
// FOLDER/node_modules has PACKAGE, a version of engine.io-client. The server
// sends back what it receives, unless the exchange says otherwise.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, name, job] = process.argv.slice(2);
const client = createRequire(resolve(folder, 'package.json'))(name);
const { url, play, options, count } = JSON.parse(job);

const socket = client.Socket ? new client.Socket(url, options) : client(url, options);
const seen = { transports: [], errors: [] };
const done = () => {
  console.log(JSON.stringify(seen));
  setTimeout(() => process.exit(0), 5000).unref(); // what is under way may end before
};

const note = () => {
  const t = socket.transport?.name;
  if (t && seen.transports.at(-1) !== t) seen.transports.push(t);
};
socket.on('open', note);
socket.on('upgrade', note);
socket.on('upgradeError', (e) => seen.errors.push(`upgrade: ${e.message}`));
socket.on('error', (e) => seen.errors.push(String(e.message)));
socket.on('close', (reason) => { seen.closed = reason; done(); });

// A message as it can be compared: its kind, its length and its content.
const bytes = (data) => (typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength));
const sum = (data) => [typeof data === 'string' ? 'text' : 'binary', bytes(data).length, createHash('sha256').update(bytes(data)).digest('hex').slice(0, 16)];

const long = (n) => Array.from({ length: n }, (_, i) => String.fromCharCode(0x20 + (i % 95))).join('');
const content = [
  'hello', '', 'bAQIDBA==', '\u20ac \u{1f600} \u0000 "\\', Buffer.from([1, 2, 3, 4]), Buffer.alloc(0), Buffer.from([0x1e, 0xff, 0, 0x1e]),
  long(300_000), Buffer.from(long(300_000)), 'last',
];

const plays = {
  // Everything comes back, in order and unchanged.
  echo() {
    seen.messages = 0;
    seen.wrong = [];
    socket.on('message', (data = '') => { // engine.io-client 4 says undefined
      const want = sum(content[seen.messages % content.length]);
      if (JSON.stringify(sum(data)) !== JSON.stringify(want)) seen.wrong.push([seen.messages, sum(data), want]);
      if (++seen.messages === 2 * content.length) socket.close();
      if (seen.messages === content.length) {
        note();
        content.forEach((c) => socket.send(c));
      }
    });
    socket.on('open', () => content.forEach((c) => socket.send(c)));
  },

  // More than the server takes at once.
  bulk() {
    seen.messages = 0;
    seen.wrong = [];
    const part = (i) => String.fromCharCode(0x41 + i) + long(40_000);
    socket.on('open', () => { for (let i = 0; i < 30; i++) socket.send(part(i)); });
    socket.on('message', (data) => {
      if (data !== part(seen.messages)) seen.wrong.push([seen.messages, sum(data)]);
      if (++seen.messages === 30) socket.close();
    });
  },

  // Both sides count, from the very beginning and until well after the upgrade.
  count() {
    seen.next = 0;
    seen.wrong = [];
    let sent = 0;
    const send = () => {
      for (let i = 0; i < 5 && sent < count; i++, sent++) {
        socket.send(sent % 3 ? String(sent) : Buffer.from(String(sent)));
      }
      if (sent < count) setTimeout(send, 1);
      else socket.send('end');
    };
    socket.on('open', send);
    socket.on('message', (data) => {
      const s = bytes(data).toString();
      if (s === 'end') {
        note();
        socket.close();
      } else if (s !== String(seen.next++)) seen.wrong.push([seen.next - 1, s]);
    });
  },

  // Nothing is said; heartbeats keep the session, until the server closes it.
  idle() {
    seen.pings = 0;
    socket.on('packet', (p) => {
      if (p.type === 'ping' && ++seen.pings === 5) socket.send('enough');
    });
  },
};
plays[play]();
