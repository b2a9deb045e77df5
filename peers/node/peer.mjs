// A WebSocket peer that is driven by lines of JSON: commands on standard input,
// answers and events on standard output. It speaks for the package ws.
//
//   node peer.mjs FOLDER        FOLDER/node_modules has ws
//
// Every command has an "n"; its answer is {"n": …} with what it asked for, or
// with "error". Everything else on standard output is an event of the
// connection that its "conn" names.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHTTP } from 'node:http';
import { createServer as createHTTPS } from 'node:https';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const { WebSocket, WebSocketServer } = createRequire(resolve(process.argv[2], 'package.json'))('ws');

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

const conns = new Map();
const servers = new Map();
let last = 0;

// payload makes the bytes that a part describes.
function payload(kind, part) {
  if (part.fill) {
    const b = Buffer.allocUnsafe(part.fill);
    for (let i = 0; i < b.length; i++) b[i] = kind === 'text' ? 0x20 + (i % 95) : i % 251;
    return b;
  }
  return part.hex ? Buffer.from(part.hex, 'hex') : Buffer.from(part.text ?? '', 'utf8');
}

// adopt reports what happens on a connection, under a new name.
function adopt(ws) {
  const conn = `c${++last}`;
  let failure;
  ws.on('message', (data, isBinary) => say({
    conn, event: 'message', kind: isBinary ? 'binary' : 'text', size: data.length,
    sha256: createHash('sha256').update(data).digest('hex'), head: data.subarray(0, 16).toString('hex'),
  }));
  ws.on('pong', (data) => say({ conn, event: 'pong', data: data.toString() }));
  ws.on('error', (e) => { failure = e.message; });
  ws.on('close', (code, reason) => {
    say({ conn, event: 'closed', code, reason: reason.toString(), error: failure });
    conns.delete(conn);
  });
  conns.set(conn, ws);
  return conn;
}

// sent is a promise for what takes a callback.
const sent = (call) => new Promise((done, fail) => call((e) => (e ? fail(e) : done())));

async function act(ws, a) {
  switch (a.do) {
    case 'send': {
      const binary = a.kind === 'binary';
      for (const [i, part] of a.parts.entries()) {
        if (i > 0 && a.pings) ws.ping(`inside ${i}`);
        const fin = i === a.parts.length - 1;
        await sent((cb) => ws.send(payload(a.kind, part), { binary, fin }, cb));
      }
      return;
    }
    case 'ping': return sent((cb) => ws.ping(a.data ?? '', undefined, cb));
    case 'close': return a.code ? ws.close(a.code, a.reason) : ws.close();
    case 'abort': return ws.terminate();
    default: throw new Error(`unknown action ${a.do}`);
  }
}

const pick = (mine) => (offered) => [...offered].find((p) => mine.includes(p)) ?? false;

// deflating is what ws takes for permessage-deflate.
const deflating = (d) => d !== undefined && {
  threshold: 0,
  serverNoContextTakeover: !d.serverContext,
  clientNoContextTakeover: !d.clientContext,
  ...(d.serverBits && { serverMaxWindowBits: d.serverBits }),
  ...(d.clientBits && { clientMaxWindowBits: d.clientBits }),
};

const commands = {
  listen({ protocols, limit, greeting, cert, key, deflate }) {
    const http = cert ? createHTTPS({ cert: readFileSync(cert), key: readFileSync(key) }) : createHTTP();
    const wss = new WebSocketServer({ server: http, maxPayload: limit, handleProtocols: pick(protocols ?? []), perMessageDeflate: deflating(deflate) });
    const server = `s${++last}`;
    wss.on('connection', (ws) => {
      const conn = adopt(ws);
      if (greeting) act(ws, greeting);
      say({ server, conn, event: 'open', protocol: ws.protocol, extensions: ws.extensions });
    });
    servers.set(server, { http, wss });
    return new Promise((done, fail) => {
      http.once('error', fail);
      http.listen(0, '127.0.0.1', () => done({ server, port: http.address().port }));
    });
  },
  dial({ url, protocols, limit, cert, deflate }) {
    return new Promise((done, fail) => {
      const ws = new WebSocket(url, protocols ?? [], { maxPayload: limit, perMessageDeflate: deflating(deflate), ca: cert && readFileSync(cert) });
      const conn = adopt(ws); // before the first frame can come
      ws.once('open', () => done({ conn, protocol: ws.protocol, extensions: ws.extensions }));
      ws.once('error', fail);
    });
  },
  async act({ conn, action }) {
    const ws = conns.get(conn);
    if (!ws) throw new Error('the connection is closed');
    await act(ws, action);
    return {};
  },
  drop({ conn, server }) { // whatever is left of it
    conns.get(conn)?.terminate();
    const s = servers.get(server);
    for (const ws of s?.wss.clients ?? []) ws.terminate();
    s?.http.close();
    servers.delete(server);
    return {};
  },
};

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { n, command, ...args } = JSON.parse(line);
  try {
    say({ n, ...(await commands[command](args)) });
  } catch (e) {
    say({ n, error: e.message || String(e) });
  }
});
lines.on('close', () => process.exit(0));
