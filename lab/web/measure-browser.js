// The measurement by the browser itself: this page says when a message is to come to be, by
// a WebSocket of its own, and has each by four ways: fetch, fetch that waits, EventSource
// and WebSocket. One clock, performance.now().
/** @import { Plan } from "./measure.js" */
/** @import { Name } from "./measure-names.js" */

/**
 * @typedef {{way: Name, requests: number, median: number, p99: number, worst: number, latencies: number[]}} Browsed  times in ms
 * @typedef {{error?: string, run: string, letters: string, requests: Record<Name, number>}} Answer
 */

/** rank is the smallest value that no less than the share q of all values does not exceed. */
const rank = (/** @type {number[]} */ sorted, /** @type {number} */ q) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)];

/** socketURL is where a WebSocket goes. */
function socketURL(/** @type {URL} */ url) {
  const to = new URL(url);
  to.protocol = to.protocol.replace("http", "ws");
  return to;
}

/**
 * opened waits until a WebSocket or an EventSource stands, or does not. A WebSocket always
 * says which. An EventSource that is closed while it opens says nothing ever again.
 */
const opened = (/** @type {WebSocket | EventSource} */ s) => new Promise((done, fail) => {
  s.addEventListener("open", done, { once: true });
  s.addEventListener("error", () => fail(new Error(`${s.url} cannot be opened`)), { once: true });
});

/** aborted fails as soon as a signal says so. */
const aborted = (/** @type {AbortSignal} */ over) => new Promise((_, fail) => {
  if (over.aborted) fail(over.reason);
  over.addEventListener("abort", () => fail(over.reason), { once: true });
});

/** end closes a WebSocket, once it stands: a browser complains of one that is closed before. */
function end(/** @type {WebSocket} */ socket) {
  if (socket.readyState !== WebSocket.CONNECTING) socket.close();
  else socket.addEventListener("open", () => socket.close(), { once: true });
}

/** pause waits until a time of performance.now(). */
const pause = (/** @type {number} */ until, /** @type {AbortSignal} */ over) => new Promise((done, fail) => {
  if (over.aborted) fail(over.reason);
  const timer = setTimeout(done, until - performance.now());
  over.addEventListener("abort", () => {
    clearTimeout(timer);
    fail(over.reason);
  }, { once: true });
});

/** A Receiver takes the messages of one way, each once and in order. */
class Receiver {
  /** @type {number[]} */
  had = [];

  constructor(/** @type {Plan} */ plan, /** @type {string} */ letters) {
    this.plan = plan;
    this.letters = letters;
    /** @type {PromiseWithResolvers<void>} */
    this.whole = Promise.withResolvers();
    this.whole.promise.catch(() => {}); // who waits for it hears of it
  }

  get complete() { return this.had.length === this.plan.messages; }

  take(/** @type {string} */ message) {
    const n = this.had.length;
    if (this.complete || message.length !== this.plan.size || message[0] !== this.letters[n % this.letters.length]) {
      this.whole.reject(new Error(`message ${n + 1} is “${message.slice(0, 20)}”, which is not its turn`));
      return;
    }
    this.had.push(performance.now());
    if (this.complete) this.whole.resolve();
  }
}

/** body is what a request is answered with. */
async function body(/** @type {URL} */ url, /** @type {RequestInit} */ init) {
  const response = await fetch(url, { cache: "no-store", ...init });
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${(await response.text()).slice(0, 200)}`);
  return response.text();
}

/**
 * WAYS begin to receive; what they return is when messages may come.
 * @type {Record<Name, (base: URL, to: Receiver, over: AbortSignal) => Promise<unknown>>}
 */
const WAYS = {
  polling: async (base, to, over) => {
    const start = performance.now();
    const poll = async () => {
      for (let n = 1; ; n++) {
        const lines = await body(new URL(`poll?after=${to.had.length}`, base), { signal: over });
        for (const m of lines ? lines.split("\n") : []) to.take(m);
        if (to.complete) return;
        await pause(start + n * to.plan.poll, over);
      }
    };
    poll().catch(to.whole.reject);
  },
  "long-polling": async (base, to, over) => {
    const engine = new URL("engine/?EIO=4&transport=polling", base);
    engine.searchParams.set("sid", JSON.parse((await body(new URL(engine), { signal: over })).slice(1)).sid);
    const wait = async () => {
      while (!to.complete) {
        for (const packet of (await body(engine, { signal: over })).split("\x1e")) if (packet[0] === "4") to.take(packet.slice(1));
      }
      await body(engine, { method: "POST", body: "1", signal: over });
    };
    wait().catch(to.whole.reject);
  },
  events: async (base, to, over) => {
    const source = new EventSource(new URL("events", base));
    over.addEventListener("abort", () => source.close());
    source.addEventListener("message", (e) => {
      to.take(e.data);
      if (to.complete) source.close(); // or it would come again
    });
    await Promise.race([opened(source), aborted(over)]);
    source.addEventListener("error", () => to.whole.reject(new Error("the events broke off")));
  },
  websocket: async (base, to, over) => {
    const socket = new WebSocket(socketURL(new URL("websocket", base)));
    over.addEventListener("abort", () => end(socket));
    socket.addEventListener("message", (e) => to.take(e.data));
    await opened(socket);
    socket.addEventListener("close", () => to.whole.reject(new Error("the WebSocket was closed")));
  },
};

/**
 * browse measures the plan. An error says what went wrong, or that signal has ended it.
 * @param {Plan} plan
 * @param {AbortSignal} signal
 * @returns {Promise<Browsed[]>}
 */
export async function browse(plan, signal) {
  const ending = new AbortController();
  const over = AbortSignal.any([signal, ending.signal]);
  const control = new WebSocket(socketURL(new URL("measure/run", document.baseURI)));
  const lost = Promise.race([aborted(over), new Promise((_, fail) => {
    control.addEventListener("close", () => fail(new Error("the server has ended it: a measurement takes 20 s at the most")), { once: true });
  })]);
  lost.catch(() => {});
  /** @type {<T>(p: Promise<T>) => Promise<T>} */
  const unlessLost = (p) => Promise.race([p, /** @type {Promise<never>} */ (lost)]);
  /** @returns {Promise<Answer>} */
  const answer = () => unlessLost(new Promise((done, fail) => control.addEventListener("message", (e) => {
    const a = JSON.parse(e.data);
    if (a.error) fail(new Error(a.error));
    else done(a);
  }, { once: true })));
  /** @type {Promise<unknown>[]} */
  let beginnings = [];
  try {
    await unlessLost(opened(control));
    const begun = answer();
    control.send(JSON.stringify(plan));
    const { run, letters } = await begun;
    const base = new URL(`measure/run/${run}/`, document.baseURI);
    const names = /** @type {Name[]} */ (Object.keys(WAYS));
    const receivers = names.map(() => new Receiver(plan, letters));
    beginnings = names.map((name, i) => WAYS[name](base, receivers[i], over));
    await unlessLost(Promise.all(beginnings));

    /** @type {number[]} */
    const said = [];
    const start = performance.now();
    for (let i = 0; i < plan.messages; i++) {
      if (plan.every) await unlessLost(pause(start + (i + 1) * plan.every, over));
      said.push(performance.now());
      control.send("next");
    }
    await unlessLost(Promise.all(receivers.map((r) => r.whole.promise)));
    const counted = answer();
    control.send("done");
    const { requests } = await counted;
    return names.map((way, i) => {
      const latencies = receivers[i].had.map((at, n) => at - said[n]);
      const sorted = latencies.toSorted((a, b) => a - b);
      return { way, requests: requests[way], median: rank(sorted, 0.5), p99: rank(sorted, 0.99), worst: sorted[sorted.length - 1], latencies };
    });
  } finally {
    ending.abort();
    await Promise.allSettled(beginnings); // what is still being opened has the run to be opened in
    end(control);
  }
}
