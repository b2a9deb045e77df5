// socketDriver makes sockets of io and drives them by commands; report gets
// what happens on them. It runs in Node.js and in a page.
//
// Values go to and fro as JSON, with bytes as {"hex": "01ff"}, and with
// {"fill": n} for n bytes and {"letters": n} for n characters that everybody
// knows how to make. What comes in and is long comes out as
// {"size": n, "sum": s}, text with "text": true.
globalThis.socketDriver = (io, report) => {
  const sockets = new Map();

  // FNV-1a, 32 bits.
  const sum = (bytes) => {
    let h = 0x811c9dc5;
    for (const b of bytes) h = Math.imul(h ^ b, 0x01000193) >>> 0;
    return h;
  };
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

  const into = (v) => {
    if (Array.isArray(v)) return v.map(into);
    if (v === null || typeof v !== 'object') return v;
    if ('hex' in v) return Uint8Array.from(v.hex.match(/../g) ?? [], (d) => parseInt(d, 16));
    if ('fill' in v) return Uint8Array.from({ length: v.fill }, (_, i) => i % 251);
    if ('letters' in v) return Array.from({ length: v.letters }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, into(e)]));
  };
  const out = (v) => {
    if (v instanceof ArrayBuffer) v = new Uint8Array(v);
    if (ArrayBuffer.isView(v)) {
      const bytes = new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
      return bytes.length <= 64 ? { hex: hex(bytes) } : { size: bytes.length, sum: sum(bytes) };
    }
    if (typeof v === 'string' && v.length > 200) {
      const bytes = new TextEncoder().encode(v);
      return { size: bytes.length, sum: sum(bytes), text: true };
    }
    if (Array.isArray(v)) return v.map(out);
    if (v === null || typeof v !== 'object') return v;
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, out(e)]));
  };

  const open = ({ conn, url, namespace, transports, auth }) => {
    const options = { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, auth };
    if (transports) options.transports = transports;
    const socket = io(url + namespace, options);
    sockets.set(conn, socket);
    const transport = () => socket.io.engine?.transport?.name;
    socket.on('connect', () => report({ conn, event: 'connect', sid: socket.id, recovered: socket.recovered === true }));
    socket.on('disconnect', (reason) => report({ conn, event: 'disconnect', reason }));
    socket.on('connect_error', (e) => report({ conn, event: 'connect_error', reason: e.message, args: e.data === undefined ? [] : [out(e.data)] }));
    socket.io.on('open', () => {
      socket.io.engine.on('upgrade', () => report({ conn, event: 'upgrade', reason: transport() }));
    });
    socket.onAny((name, ...args) => {
      const ack = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      ack?.(...args);
      report({ conn, event: 'received', name, args: args.map(out) });
    });
  };

  // count sends numbered events, one after each turn of the event loop.
  const count = async (socket, name, n) => {
    for (let i = 0; i < n; i++) {
      socket.emit(name, i);
      if (i % 10 === 9) await new Promise((done) => setTimeout(done, 1));
    }
  };

  return async (c) => {
    const socket = sockets.get(c.conn);
    switch (c.command) {
      case 'open': open(c); return {};
      case 'emit': socket.emit(c.name, ...c.args.map(into)); return {};
      case 'call': return { args: await new Promise((done) => socket.emit(c.name, ...c.args.map(into), (...a) => done(a.map(out)))) };
      case 'count': await count(socket, c.name, c.n_events); return {};
      case 'transport': return { args: [socket.io.engine.transport.name] };
      case 'close': socket.close(); return {};
      default: throw new Error(`no command ${c.command}`);
    }
  };
};
