// The chat room of a first tutorial on npm's socket.io, with its defaults:
// node server.mjs FOLDER, where FOLDER/node_modules has it.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const { Server } = createRequire(resolve(process.argv[2], 'package.json'))('socket.io');
const http = createServer();
const io = new Server(http);
io.on('connection', (socket) => socket.on('message', (text) => io.emit('message', text)));
http.listen(0, '127.0.0.1', 4096, () => console.log(`127.0.0.1:${http.address().port}`));
