// A Socket.IO client that is driven by lines of JSON: commands on standard
// input, answers and events on standard output.
//
//   node client.mjs FOLDER PACKAGE      FOLDER/node_modules has PACKAGE
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import './driver.js';

const { io } = createRequire(resolve(process.argv[2], 'package.json'))(process.argv[3]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const act = globalThis.socketDriver(io, say);

createInterface({ input: process.stdin }).on('line', async (line) => {
  const command = JSON.parse(line);
  try {
    say({ n: command.n, ...await act(command) });
  } catch (e) {
    say({ n: command.n, error: String(e) });
  }
}).on('close', () => process.exit(0));
