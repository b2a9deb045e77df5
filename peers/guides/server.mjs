// Serves the pieces of a document that are programs for npm's socket.io, each at a
// path of its own.
//
//   node server.mjs FOLDER < sections
//
// sections is JSON: [{path, program}]. It says its port, as a line of JSON, and ends
// when it is killed.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';

const { Server } = createRequire(resolve(process.argv[2], 'package.json'))('socket.io');
const http = createServer();

for (const { path, program } of JSON.parse(await text(process.stdin))) {
  // The documents' programs listen on ports of their own.
  const Here = class extends Server {
    constructor(_, options) {
      super(http, { ...options, path });
    }
  };
  const begin = /new Server\(/.test(program) ? '' : 'const io = new Server(3000);\n';
  new Function('Server', begin + program)(Here);
}
http.listen(0, '127.0.0.1', () => process.stdout.write(JSON.stringify({ port: http.address().port }) + '\n'));
