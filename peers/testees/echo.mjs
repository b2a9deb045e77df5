// The package ws as a testee:
//
//   node echo.mjs FOLDER serve | echo URL | client URL
//
// FOLDER/node_modules has ws.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, what, base] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = createRequire(resolve(folder, 'package.json'))('ws');
const options = { maxPayload: 64 << 20, perMessageDeflate: true };

function echo(ws) {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  ws.on('error', () => {});
}

// connect is a promise for the end of a connection, and for the last message
// that came if nothing echoes.
const connect = (url, talk) => new Promise((done) => {
  let last;
  const ws = new WebSocket(url, options);
  talk(ws);
  ws.on('message', (data) => { last = data; });
  ws.on('error', () => {});
  ws.on('close', () => done(last));
});

if (what === 'serve') {
  const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 });
  server.on('connection', echo);
  server.on('listening', () => console.log(`ws://127.0.0.1:${server.address().port}/`));
} else if (what === 'echo') {
  await connect(base, echo);
} else {
  const count = JSON.parse(await connect(`${base}/getCaseCount`, () => {}));
  for (let n = 1; n <= count; n++) await connect(`${base}/runCase?case=${n}&agent=ws`, echo);
  await connect(`${base}/updateReports?agent=ws`, () => {});
}
