// A Socket.IO server on Node.js for the tests of our client:
//
//   node server.mjs FOLDER PACKAGE PORT     FOLDER/node_modules has PACKAGE
//
// It says {"port": N} when it listens, and ends with its standard input.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [folder, name, port] = process.argv.slice(2);
const { Server } = createRequire(resolve(folder, 'package.json'))(name);
const http = createServer();
// The first of the 4.x do not know recovery, and pass over the option.
const io = new Server(http, { pingInterval: 300, pingTimeout: 5000, connectionStateRecovery: { maxDisconnectionDuration: 60_000 } });

io.on('connection', (socket) => {
  if (!socket.recovered) socket.emit('welcome', socket.id);
  socket.on('say', (...args) => socket.emit('said', ...args));
  socket.on('echo', (...args) => args.pop()(...args));
  socket.on('ask me', (n, done) => socket.emit('what', n, Buffer.from([1, 2, 3]), (...answer) => done(...answer)));
  socket.on('join', (room, done) => { socket.join(room); done(); });
  socket.on('tell', (room, text) => io.to(room).emit('told', text));
  socket.on('disconnect me', () => socket.disconnect());
});

const admin = io.of('/secret');
admin.use((socket, next) => {
  if (socket.handshake.auth.token === 'secret') return next();
  const refusal = new Error('not you');
  refusal.data = { token: socket.handshake.auth.token ?? null };
  next(refusal);
});
admin.on('connection', (socket) => socket.on('who', (done) => done('admin')));

http.listen(Number(port), '127.0.0.1', () => console.log(JSON.stringify({ port: http.address().port })));
process.stdin.on('end', () => process.exit(0)).resume();
