// Defines peer in a page: the browser's own WebSocket behind the vocabulary of
// words_test.go.
globalThis.peer = (() => {
  const events = [];
  let waiting; // resolves the promise that next has given out
  let socket;
  let order = Promise.resolve(); // hashing takes its time, the order stays

  const report = (event) => {
    events.push(event);
    if (waiting) {
      waiting(events.splice(0));
      waiting = undefined;
    }
  };
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

  const message = async (data) => {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
    report({
      event: 'message', kind: typeof data === 'string' ? 'text' : 'binary', size: bytes.length,
      sha256: hex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))), head: hex(bytes.subarray(0, 16)),
    });
  };

  const payload = (kind, { fill, hex: digits, text = '' }) => {
    let bytes;
    if (fill) bytes = Uint8Array.from({ length: fill }, (_, i) => (kind === 'text' ? 0x20 + (i % 95) : i % 251));
    else if (digits) bytes = Uint8Array.from(digits.match(/../g), (d) => parseInt(d, 16));
    else bytes = new TextEncoder().encode(text);
    return kind === 'text' ? new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) : bytes;
  };

  return {
    // open connects and resolves to the subprotocol and extensions.
    open: (url, protocols) => new Promise((done, fail) => {
      socket = new WebSocket(url, protocols);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => done({ protocol: socket.protocol, extensions: socket.extensions });
      socket.onmessage = ({ data }) => { order = order.then(() => message(data)); };
      socket.onclose = ({ code, reason }) => {
        fail(new Error(`closed with ${code}`)); // does nothing once open
        order = order.then(() => report({ event: 'closed', code, reason }));
      };
    }),
    act({ do: what, kind, parts, code, reason }) {
      if (what === 'send' && parts.length === 1) socket.send(payload(kind, parts[0]));
      else if (what === 'close' && code) socket.close(code, reason ?? '');
      else if (what === 'close') socket.close();
      else throw new Error(`a page cannot ${what} like that`);
    },
    // next resolves to the events that nobody has seen, as soon as there are any.
    next: () => new Promise((done) => {
      if (events.length > 0) done(events.splice(0));
      else waiting = done;
    }),
  };
})();
void 0;
