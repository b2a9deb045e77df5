// An echo server with ws on Node.js: node server.mjs FOLDER keep|no, where
// FOLDER/node_modules has ws. It says its address on standard output.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, keep] = process.argv.slice(2);
const { WebSocketServer } = createRequire(resolve(folder, 'package.json'))('ws');

const perMessageDeflate = keep === 'keep' ? true : { serverNoContextTakeover: true, clientNoContextTakeover: true };
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
wss.on('listening', () => console.log(`127.0.0.1:${wss.address().port}`));
wss.on('connection', (ws) => {
  ws.on('error', () => {});
  ws.on('message', (data, binary) => ws.send(data, { binary }));
});
