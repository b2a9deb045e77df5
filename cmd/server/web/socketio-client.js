// A client of Socket.IO (protocol 5, Engine.IO 4) for this server's own page
// and for pages that load /socket.io/socket.io.js: io(), on, once, off, emit
// with acknowledgements, binary, namespaces, auth, reconnection, recovery. It
// begins with polling, moves to a WebSocket if it can, and stays with polling
// otherwise. One connection for each io(). The published client, socket.io-client,
// does more, and works here as well.
(() => {
  'use strict';

  class Emitter {
    #listeners = new Map();
    on(event, f) {
      if (!this.#listeners.has(event)) this.#listeners.set(event, []);
      this.#listeners.get(event).push(f);
      return this;
    }
    once(event, f) {
      const g = (...args) => { this.off(event, g); f(...args); };
      g.original = f;
      return this.on(event, g);
    }
    off(event, f) {
      if (event === undefined) this.#listeners.clear();
      else if (f === undefined) this.#listeners.delete(event);
      else this.#listeners.set(event, this.listeners(event).filter((g) => g !== f && g.original !== f));
      return this;
    }
    listeners(event) { return this.#listeners.get(event) ?? []; }
    tell(event, ...args) { for (const f of [...this.listeners(event)]) f(...args); }
  }

  const isBytes = (v) => v instanceof ArrayBuffer || ArrayBuffer.isView(v);
  const bytesOf = (v) => (v instanceof ArrayBuffer ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength));
  const toBase64 = (v) => {
    let s = '';
    const b = bytesOf(v);
    for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
    return btoa(s);
  };
  const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

  // An Engine is one session of Engine.IO: messages, text or binary, in order.
  // It tells 'open', 'message', 'upgrade', and 'close' with a reason, once.
  class Engine extends Emitter {
    transport = { name: '' };
    maxPayload = Infinity; // bytes of a message that the server takes
    #url; #o; #sid; #ws; #queue = []; #posting = false; #polling; #limit = Infinity; #open = false; #closed = false; #timer; #beat; #moving = false;
    #abort = new AbortController();

    constructor(url, o) {
      super();
      this.#url = url;
      this.#o = o;
      this.#timer = setTimeout(() => this.close('timeout'), o.timeout);
      if (o.transports[0] === 'websocket' && !o.transports.includes('polling')) this.#socket();
      else this.#poll();
    }

    #address(transport) {
      const u = new URL(this.#url);
      for (const [k, v] of Object.entries(this.#o.query ?? {})) u.searchParams.set(k, v);
      u.searchParams.set('EIO', '4');
      u.searchParams.set('transport', transport);
      if (this.#sid) u.searchParams.set('sid', this.#sid);
      if (transport === 'polling') u.searchParams.set('t', Math.random().toString(36).slice(2));
      else u.protocol = u.protocol === 'https:' ? 'wss:' : 'ws:';
      return u;
    }

    async #fetch(options) {
      const r = await fetch(this.#address('polling'), {
        cache: 'no-store', credentials: this.#o.withCredentials ? 'include' : 'same-origin', signal: this.#abort.signal, ...options,
      });
      const text = await r.text();
      if (!r.ok) throw new Error(`HTTP ${r.status}: ${text.slice(0, 200)}`);
      return text;
    }

    // poll asks until the session is over or has moved to a WebSocket.
    async #poll() {
      this.transport.name = 'polling';
      let done;
      this.#polling = new Promise((f) => { done = f; });
      try {
        do {
          for (const p of (await this.#fetch({})).split('\x1e')) {
            if (p[0] === 'b') this.#packet('4', fromBase64(p.slice(1)));
            else this.#packet(p[0], p.slice(1));
          }
        } while (!this.#closed && !this.#moving);
      } catch (e) {
        this.close('transport error', e);
      }
      done();
    }

    // post sends what waits, as many packets at once as the server takes.
    async #post() {
      if (this.#posting || this.#ws || this.#moving) return;
      this.#posting = true;
      try {
        while (this.#queue.length > 0 && !this.#closed && !this.#moving) {
          const parts = [];
          for (let size = 0; this.#queue.length > 0;) {
            const p = typeof this.#queue[0] === 'string' ? this.#queue[0] : `b${toBase64(this.#queue[0])}`;
            size += p.length * 3 + 1; // a character is at most so many bytes
            if (parts.length > 0 && size > this.#limit) break;
            parts.push(p);
            this.#queue.shift();
          }
          await this.#fetch({ method: 'POST', headers: { 'Content-Type': 'text/plain;charset=UTF-8' }, body: parts.join('\x1e') });
        }
      } catch (e) {
        this.close('transport error', e);
      }
      this.#posting = false;
      this.tell('posted');
    }

    // socket begins the session with a WebSocket.
    #socket() {
      this.transport.name = 'websocket';
      this.#use(new WebSocket(this.#address('websocket')));
    }

    #use(ws) {
      this.#ws = ws;
      ws.binaryType = 'arraybuffer';
      ws.onmessage = ({ data }) => (typeof data === 'string' ? this.#packet(data[0], data.slice(1)) : this.#packet('4', data));
      ws.onclose = () => this.close('transport close');
      ws.onerror = () => this.close('transport error');
    }

    // upgrade tries a WebSocket beside the polling; if it fails, polling goes on.
    #upgrade() {
      const ws = new WebSocket(this.#address('websocket'));
      const give = () => { ws.onopen = ws.onmessage = ws.onclose = null; ws.close(); };
      ws.binaryType = 'arraybuffer';
      ws.onopen = () => ws.send('2probe');
      ws.onmessage = async ({ data }) => {
        if (data !== '3probe' || this.#closed) return give();
        this.#moving = true; // the server answers the poll that waits
        await this.#polling;
        if (this.#posting) await new Promise((done) => this.once('posted', done));
        if (this.#closed || ws.readyState !== WebSocket.OPEN) {
          this.#moving = false;
          if (this.#closed) return ws.close();
          this.#poll();
          return this.#post();
        }
        ws.send('5');
        this.#use(ws);
        this.transport.name = 'websocket';
        this.tell('upgrade', this.transport);
        this.#flush();
      };
    }

    #packet(type, data) {
      if (this.#closed) return;
      switch (type) {
        case '0': {
          const o = JSON.parse(data);
          clearTimeout(this.#timer);
          this.#sid = o.sid;
          this.#limit = this.maxPayload = o.maxPayload ?? Infinity;
          this.#beat = o.pingInterval + o.pingTimeout;
          this.#alive();
          this.#open = true;
          this.tell('open');
          this.#flush();
          if (!this.#ws && this.#o.upgrade && o.upgrades.includes('websocket') && this.#o.transports.includes('websocket') && globalThis.WebSocket) this.#upgrade();
          break;
        }
        case '1': this.close('transport close'); break;
        case '2': this.#alive(); this.#put('3'); break;
        case '4': this.tell('message', data); break;
        default: // 6, noop: only ends a poll
      }
    }

    #alive() {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.close('ping timeout'), this.#beat);
    }

    // send sends messages: a string, or bytes.
    send(...messages) { this.#put(...messages.map((m) => (typeof m === 'string' ? `4${m}` : m))); }

    #put(...packets) {
      this.#queue.push(...packets);
      this.#flush();
    }

    #flush() {
      if (!this.#open || this.#closed) return;
      if (!this.#ws) this.#post();
      else for (const p of this.#queue.splice(0)) this.#ws.send(p);
    }

    // leave says goodbye over polling, behind what is on its way.
    async #leave() {
      if (this.#posting) await new Promise((done) => this.once('posted', done));
      const body = [...this.#queue.map((p) => (typeof p === 'string' ? p : `b${toBase64(p)}`)), '1'].join('\x1e');
      await this.#fetch({ method: 'POST', keepalive: body.length < 60000, body }).catch(() => {});
      this.#abort.abort();
    }

    close(reason = 'forced close', error) {
      if (this.#closed) return;
      this.#closed = true;
      clearTimeout(this.#timer);
      if (reason === 'forced close' && this.#open && !this.#ws) this.#leave();
      else this.#abort.abort();
      if (this.#ws) this.#ws.close();
      this.tell('close', reason, error);
    }
  }

  // extract replaces the bytes in v by placeholders and collects them.
  const extract = (v, found) => {
    if (isBytes(v)) return { _placeholder: true, num: found.push(v) - 1 };
    if (Array.isArray(v)) return v.map((e) => extract(e, found));
    if (v === null || typeof v !== 'object' || v.toJSON) return v;
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, extract(e, found)]));
  };
  const restore = (v, found) => {
    if (Array.isArray(v)) return v.map((e) => restore(e, found));
    if (v === null || typeof v !== 'object') return v;
    if (v._placeholder === true) return found[v.num];
    return Object.fromEntries(Object.entries(v).map(([k, e]) => [k, restore(e, found)]));
  };

  const own = ['connect', 'connect_error', 'disconnect'];

  // A Socket is this page in one namespace of a server.
  class Socket extends Emitter {
    connected = false;
    recovered = false;
    id = undefined;
    io = new Emitter(); // tells open, close, upgrade, reconnect_attempt, reconnect; has engine
    #url; #namespace; #o; #waiting = []; #acks = new Map(); #lastAck = -1; #any = []; #wanted = false; #again; #tries = 0; #pid; #offset; #pending; #flags = {};

    constructor(url, namespace, o) {
      super();
      this.#url = url;
      this.#namespace = namespace;
      this.#o = o;
      this.auth = o.auth;
      if (o.autoConnect !== false) this.connect();
    }

    get disconnected() { return !this.connected; }
    get active() { return this.#wanted; }

    connect() {
      if (this.#wanted) return this;
      this.#wanted = true;
      this.#dial();
      return this;
    }
    open() { return this.connect(); }

    #dial() {
      const engine = new Engine(this.#url, this.#o);
      this.io.engine = engine;
      engine.on('open', () => {
        this.io.tell('open');
        const hello = (auth) => {
          const data = this.#pid ? { pid: this.#pid, offset: this.#offset, ...auth } : auth;
          engine.send(`0${this.#prefix()}${data ? JSON.stringify(data) : ''}`);
        };
        if (typeof this.auth === 'function') this.auth(hello); else hello(this.auth);
      });
      engine.on('message', (m) => {
        try {
          this.#message(m);
        } catch (e) {
          engine.close('parse error', e);
        }
      });
      engine.on('upgrade', (t) => this.io.tell('upgrade', t));
      engine.on('close', (reason, error) => this.#lost(reason, error));
    }

    #prefix() { return this.#namespace === '/' ? '' : `${this.#namespace},`; }

    // lost is told when the connection is over; unless the page or the server
    // wanted that, it is tried again, later each time.
    #lost(reason, error) {
      const was = this.connected;
      this.connected = false;
      this.id = undefined;
      this.#pending = undefined;
      this.#acks.clear();
      this.io.tell('close', reason);
      if (was) this.tell('disconnect', reason === 'forced close' ? 'io client disconnect' : reason);
      else if (this.#wanted) this.tell('connect_error', error ?? new Error(reason));
      if (!this.#wanted || this.#o.reconnection === false) return;
      const delay = Math.min(this.#o.reconnectionDelay * 2 ** this.#tries++, this.#o.reconnectionDelayMax);
      this.#again = setTimeout(() => {
        this.io.tell('reconnect_attempt', this.#tries);
        this.#dial();
      }, delay * (1 + (Math.random() - 0.5) * 2 * this.#o.randomizationFactor));
    }

    disconnect() {
      clearTimeout(this.#again);
      this.#wanted = false;
      if (this.connected) this.io.engine.send(`1${this.#prefix()}`);
      this.io.engine?.close();
      return this;
    }
    close() { return this.disconnect(); }

    // message takes one Engine.IO message: a packet, or bytes that belong to
    // the one before.
    #message(m) {
      if (typeof m !== 'string') {
        const p = this.#pending;
        p.found.push(m);
        if (p.found.length === p.count) {
          this.#pending = undefined;
          this.#packet(p.type - 3, p.id, restore(p.data, p.found));
        }
        return;
      }
      const [, type, count, , namespace, id, json] = /^([0-6])(?:(\d+)-)?((\/[^,]*)(?:,|$))?(\d+)?([^]*)$/.exec(m);
      if ((namespace ?? '/') !== this.#namespace) return;
      const data = json === '' ? undefined : JSON.parse(json);
      if (count > 0) this.#pending = { type, count: Number(count), id, data, found: [] };
      else this.#packet(type > 4 ? type - 3 : Number(type), id, data);
    }

    #packet(type, id, data) {
      switch (type) {
        case 0:
          this.id = data.sid;
          this.recovered = data.pid !== undefined && data.pid === this.#pid;
          this.#pid = data.pid;
          this.connected = true;
          if (this.#tries > 0) this.io.tell('reconnect', this.#tries);
          this.#tries = 0;
          this.tell('connect');
          for (const send of this.#waiting.splice(0)) send();
          break;
        case 1:
          this.#wanted = false; // the server's wish
          this.connected = false;
          this.tell('disconnect', 'io server disconnect');
          this.io.engine.close();
          break;
        case 2: {
          const args = id === undefined ? data : [...data, (...reply) => this.#send(3, id, reply)];
          for (const f of this.#any) f(...args);
          this.tell(...args);
          if (this.#pid && typeof args.at(-1) === 'string') this.#offset = args.at(-1);
          break;
        }
        case 3: {
          const f = this.#acks.get(Number(id));
          this.#acks.delete(Number(id));
          f?.(...data);
          break;
        }
        case 4: {
          this.#wanted = false;
          const e = new Error(data.message);
          e.data = data.data;
          this.tell('connect_error', e);
          this.io.engine.close();
          break;
        }
      }
    }

    #send(type, id, args) {
      const found = [];
      const data = JSON.stringify(extract(args, found));
      const head = found.length > 0 ? `${type + 3}${found.length}-` : String(type);
      this.io.engine.send(`${head}${this.#prefix()}${id ?? ''}${data}`, ...found);
    }

    // volatile lets the next emit be dropped while there is no connection.
    get volatile() { this.#flags.volatile = true; return this; }
    // timeout lets the next emit's callback be called with an error first.
    timeout(ms) { this.#flags.timeout = ms; return this; }

    emit(event, ...args) {
      if (own.includes(event)) throw new Error(`"${event}" is the client's own event`);
      const { volatile, timeout } = this.#flags;
      this.#flags = {};
      let id;
      if (typeof args.at(-1) === 'function') {
        let f = args.pop();
        id = ++this.#lastAck;
        if (timeout !== undefined) {
          const g = f;
          const timer = setTimeout(() => { this.#acks.delete(id); g(new Error('operation has timed out')); }, timeout);
          f = (...reply) => { clearTimeout(timer); g(null, ...reply); };
        }
        this.#acks.set(id, f);
      }
      const send = () => this.#send(2, id, [event, ...args]);
      if (this.connected) send();
      else if (!volatile) this.#waiting.push(send);
      return this;
    }
    send(...args) { return this.emit('message', ...args); }
    emitWithAck(event, ...args) {
      const timed = this.#flags.timeout !== undefined;
      return new Promise((done, fail) => {
        this.emit(event, ...args, (...reply) => {
          if (timed && reply[0]) fail(reply[0]); else done(reply[timed ? 1 : 0]);
        });
      });
    }
    onAny(f) { this.#any.push(f); return this; }
    offAny(f) { this.#any = f ? this.#any.filter((g) => g !== f) : []; return this; }
  }

  globalThis.io = (address, options) => {
    if (typeof address === 'object') [address, options] = [undefined, address];
    const u = new URL(address ?? location.origin, location.href);
    const o = {
      path: '/socket.io/', transports: ['polling', 'websocket'], upgrade: true, timeout: 20000,
      reconnectionDelay: 1000, reconnectionDelayMax: 5000, randomizationFactor: 0.5, ...options,
    };
    const namespace = u.pathname;
    u.pathname = o.path.replace(/\/?$/, '/');
    return new Socket(u.href, namespace, o);
  };
  globalThis.io.connect = globalThis.io;
})();
