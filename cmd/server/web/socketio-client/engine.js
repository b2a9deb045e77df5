// One session of Engine.IO 4: messages, text or binary, in order, over polling
// and over a WebSocket.
import { fromBase64, toBase64 } from './bytes.js';
import { Emitter } from './emitter.js';
/** @import { Bytes } from './bytes.js' */
/** @import { Options } from './options.js' */

/** An Engine tells 'open', 'message', 'upgrade', and 'close' with a reason, once. */
export class Engine extends Emitter {
  transport = { name: '' };
  maxPayload = Infinity; // bytes of a message that the server takes
  #url;
  #o;
  #sid = '';
  /** @type {WebSocket | null} */
  #ws = null;
  /** @type {(string | Bytes)[]} */
  #queue = [];
  #posting = false;
  /** @type {Promise<void> | undefined} */
  #polling;
  #open = false;
  #closed = false;
  #timer; // of patience: with the beginning, and then with the server's pings
  #beat = 0; // ms between those, at most
  #moving = false; // from polling to a WebSocket
  #abort = new AbortController();

  /**
   * @param {string} url
   * @param {Options} o
   */
  constructor(url, o) {
    super();
    this.#url = url;
    this.#o = o;
    this.#timer = setTimeout(() => this.close('timeout'), o.timeout);
    if (o.transports[0] === 'websocket' && !o.transports.includes('polling')) this.#socket();
    else this.#poll();
  }

  #address(/** @type {string} */ transport) {
    const u = new URL(this.#url);
    for (const [k, v] of Object.entries(this.#o.query ?? {})) u.searchParams.set(k, v);
    u.searchParams.set('EIO', '4');
    u.searchParams.set('transport', transport);
    if (this.#sid) u.searchParams.set('sid', this.#sid);
    if (transport === 'polling') u.searchParams.set('t', Math.random().toString(36).slice(2));
    else u.protocol = u.protocol === 'https:' ? 'wss:' : 'ws:';
    return u;
  }

  async #fetch(/** @type {RequestInit} */ options) {
    const r = await fetch(this.#address('polling'), {
      cache: 'no-store', credentials: this.#o.withCredentials ? 'include' : 'same-origin', signal: this.#abort.signal, ...options,
    });
    const text = await r.text();
    if (!r.ok) throw new Error(`HTTP ${r.status}: ${text.slice(0, 200)}`);
    return text;
  }

  // #poll asks until the session is over or has moved to a WebSocket.
  async #poll() {
    this.transport.name = 'polling';
    let done = () => {};
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

  // #post sends what waits, as many packets at once as the server takes.
  async #post() {
    if (this.#posting || this.#ws || this.#moving) return;
    this.#posting = true;
    try {
      while (this.#queue.length > 0 && !this.#closed && !this.#moving) {
        const parts = [];
        for (let size = 0; this.#queue.length > 0;) {
          const p = asText(this.#queue[0]);
          size += p.length * 3 + 1; // a character is at most so many bytes
          if (parts.length > 0 && size > this.maxPayload) break;
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

  // #socket begins the session with a WebSocket.
  #socket() {
    this.transport.name = 'websocket';
    this.#use(new WebSocket(this.#address('websocket')));
  }

  #use(/** @type {WebSocket} */ ws) {
    this.#ws = ws;
    ws.binaryType = 'arraybuffer';
    ws.onmessage = ({ data }) => (typeof data === 'string' ? this.#packet(data[0], data.slice(1)) : this.#packet('4', data));
    ws.onclose = () => this.close('transport close');
    ws.onerror = () => this.close('transport error');
  }

  // #upgrade tries a WebSocket beside the polling; if it fails, polling goes on.
  #upgrade() {
    const ws = new WebSocket(this.#address('websocket'));
    const give = () => {
      ws.onopen = ws.onmessage = ws.onclose = null;
      ws.close();
    };
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => ws.send('2probe');
    ws.onmessage = async ({ data }) => {
      if (data !== '3probe' || this.#closed) return give();
      this.#moving = true; // the server answers the poll that waits
      await this.#polling;
      if (this.#posting) await this.#posted();
      if (this.#closed || ws.readyState !== WebSocket.OPEN) {
        this.#moving = false;
        if (this.#closed) return ws.close();
        this.#poll();
        this.#post();
        return undefined;
      }
      ws.send('5');
      this.#use(ws);
      this.transport.name = 'websocket';
      this.tell('upgrade', this.transport);
      this.#flush();
      return undefined;
    };
  }

  #posted() {
    return new Promise((done) => this.once('posted', done));
  }

  #packet(/** @type {string} */ type, /** @type {any} */ data) {
    if (this.#closed) return;
    switch (type) {
      case '0': {
        const { sid, pingInterval, pingTimeout, maxPayload, upgrades } = JSON.parse(data);
        this.#sid = sid;
        this.maxPayload = maxPayload ?? Infinity;
        this.#beat = pingInterval + pingTimeout;
        this.#alive();
        this.#open = true;
        this.tell('open');
        this.#flush();
        const { upgrade, transports } = this.#o;
        if (!this.#ws && !this.#closed && upgrade && upgrades.includes('websocket') && transports.includes('websocket') && globalThis.WebSocket) this.#upgrade();
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

  /** send sends messages. */
  send(/** @type {(string | Bytes)[]} */ ...messages) {
    this.#put(...messages.map((m) => (typeof m === 'string' ? `4${m}` : m)));
  }

  #put(/** @type {(string | Bytes)[]} */ ...packets) {
    this.#queue.push(...packets);
    this.#flush();
  }

  #flush() {
    if (!this.#open || this.#closed) return;
    if (!this.#ws) this.#post();
    else for (const p of this.#queue.splice(0)) this.#ws.send(/** @type {string} */ (p));
  }

  // #leave says goodbye over polling, behind what is on its way.
  async #leave() {
    if (this.#posting) await this.#posted();
    const body = [...this.#queue.map(asText), '1'].join('\x1e');
    await this.#fetch({ method: 'POST', keepalive: body.length < 60000, body }).catch(() => {});
    this.#abort.abort();
  }

  /**
   * close ends the session.
   * @param {string} reason
   * @param {unknown} [error]
   */
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

/** asText is a packet as polling has it. */
const asText = (/** @type {string | Bytes} */ p) => (typeof p === 'string' ? p : `b${toBase64(p)}`);
