// The operator's page. It keeps the key for as long as its tab is there, shows it
// in a header, and asks before it does anything.
import { bounded } from './write.js';

/**
 * Ids whose elements are more than an HTMLElement.
 * @typedef {object} Elements
 * @property {HTMLInputElement} key
 * @property {HTMLInputElement} name
 * @property {HTMLSelectElement} room
 * @property {HTMLButtonElement} close
 * @property {HTMLInputElement} minutes
 * @property {HTMLInputElement} reason
 * @property {HTMLDialogElement} ask
 *
 * @typedef {{ person: string, name: string, account: boolean, address: string, transport: string, since: string, rooms: string[] }} Session
 * @typedef {{ cursor: string, time: string, name: string, account: boolean, text: string }} Said
 * @typedef {Record<string, string | number>} Order
 */

/**
 * @template {string} I
 * @param {I} id
 * @returns {I extends keyof Elements ? Elements[I] : HTMLElement}
 */
const $ = (id) => /** @type {any} */ (document.querySelector(`#${id}`));
// Several servers may be on one host, each under a path and with its own key.
const kept = `framewright admin key ${new URL('.', location.href).pathname}`;
const REASON = 200; // characters
const SOON = 1000; // ms
let soon = 0;
let key = '';
try {
  key = sessionStorage.getItem(kept) ?? '';
} catch { /* forbidden: then the key lasts as long as the page */ }

function keep(/** @type {string} */ value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(kept, value);
    else sessionStorage.removeItem(kept);
  } catch { /* as above */ }
}
const status = (/** @type {string} */ text) => { $('status').textContent = text; };

/**
 * api asks the server, by POST if there is an order.
 * @param {string} path
 * @param {Order} [body]
 */
async function api(path, body) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(key)); // a header has bytes
  /** @type {Record<string, string>} */
  const headers = { Authorization: `Bearer ${bytes}` };
  if (body) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`api/${path}`, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit' });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) leave();
  if (!answer.ok) throw new Error(said.text ?? `the server says ${answer.status}`);
  return said;
}

function leave() {
  clearTimeout(soon);
  keep('');
  $('all').hidden = $('forget').hidden = true;
  $('login').hidden = false;
  $('key').focus();
}

/** attempt does what may fail, and says so where a screen reader hears it. */
async function attempt(/** @type {() => Promise<void>} */ f) {
  try {
    await f();
  } catch (/** @type {any} */ e) {
    status(`That did not work: ${e.message}`);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string} [text]
 * @param {object} props
 */
function element(tag, text, props = {}) {
  const e = Object.assign(document.createElement(tag), props);
  if (text !== undefined) e.textContent = text;
  return e;
}

/** named is what somebody calls himself, or says: its direction stays its own. */
const named = (/** @type {string} */ text) => `\u2068${text}\u2069`;

/** person is a name, with a mark if it belongs to an account. */
function person(/** @type {{ name: string, account: boolean }} */ { name, account }) {
  /** @type {(string | Node)[]} */
  const line = [element('bdi', name)];
  if (account) line.push(' ', element('span', '✓', { className: 'account', role: 'img', ariaLabel: 'account', title: 'This name belongs to an account' }));
  return line;
}

/** cell is one of a row. Where the window has no room for columns it has its title. */
function cell(/** @type {string} */ title, /** @type {(string | Node)[]} */ ...parts) {
  const td = element('td');
  td.dataset.title = title;
  td.append(...parts);
  return td;
}

/**
 * button does an action after a question.
 * @param {string} label
 * @param {string} about  whom or what, for who does not see the row
 * @param {string} question
 * @param {string} action
 * @param {Order} order
 * @param {string[]} rows  what else is asked for
 */
function button(label, about, question, action, order, rows) {
  return element('button', label, {
    type: 'button', ariaLabel: `${label} ${about}`,
    onclick: () => attempt(async () => {
      if (!await confirmed(question, rows)) return;
      const whole = { ...order };
      if (rows.includes('reason') && $('reason').value) whole.reason = $('reason').value;
      if (rows.includes('minutes')) whole.seconds = Math.max(1, Math.round(Number($('minutes').value) || 10)) * 60;
      await act(action, whole);
    }),
  });
}

async function act(/** @type {string} */ action, /** @type {Order} */ order) {
  const { count } = await api(action, order);
  await lookAnew();
  status(`Done: ${action}, ${count}.`);
  // Who was taken out is listed for as long as it takes to close a connection.
  clearTimeout(soon);
  soon = setTimeout(() => attempt(lookAnew), SOON);
}

async function lookAnew() {
  const [label, at] = focus();
  await look();
  refocus(label, at);
}

// The tables are built anew: the focus goes to what stands for the same thing, or
// is where it was.
const buttons = () => /** @type {(HTMLButtonElement | HTMLSelectElement)[]} */ ([...document.querySelectorAll('#all button, #all select')]);
const focused = () => buttons().findIndex((b) => b === document.activeElement);
/** @returns {[label: string | undefined, at: number]} */
function focus() {
  const at = focused();
  return [buttons()[at]?.ariaLabel ?? buttons()[at]?.id, at];
}
function refocus(/** @type {string | undefined} */ label, /** @type {number} */ at) {
  if (at < 0 || focused() >= 0) return;
  const all = buttons().filter((b) => !b.disabled);
  (all.find((b) => (b.ariaLabel ?? b.id) === label) ?? all[Math.min(at, all.length - 1)])?.focus();
}

/** @returns {Promise<boolean>} */
function confirmed(/** @type {string} */ question, /** @type {string[]} */ rows) {
  $('question').textContent = question;
  $('minutes-row').hidden = !rows.includes('minutes');
  $('reason-row').hidden = !rows.includes('reason');
  $('reason').value = '';
  checkReason();
  const ask = $('ask');
  ask.returnValue = '';
  answer(false); // to the question before, should it not have heard yet that it was closed
  ask.showModal();
  return new Promise((done) => { answer = done; });
}
let answer = (/** @type {boolean} */ _yes) => {};
$('ask').addEventListener('close', () => { // which comes late: perhaps it is open again
  if (!$('ask').open) answer($('ask').returnValue === 'yes');
});

let looks = 0;
async function look() {
  const turn = ++looks;
  const room = $('room').value;
  const query = new URLSearchParams({ room, name: $('name').value });
  const [{ rooms }, { people, more }] = await Promise.all([api('rooms'), api(`people?${query}`)]);
  if (turn !== looks) return; // somebody has asked for something else meanwhile
  /** @type {{ name: string, people: number }[]} */
  const here = rooms.some((/** @type {{ name: string }} */ r) => r.name === room) || room === '' ? rooms : [...rooms, { name: room, people: 0 }];
  $('room').replaceChildren(element('option', `all (${rooms.length})`, { value: '' }),
    ...here.map((r) => element('option', `${r.name} (${r.people})`, { value: r.name })));
  $('room').value = room;
  $('close').disabled = room === '';
  $('people').replaceChildren(...people.map((/** @type {Session} */ p) => row(p, room)));
  $('more').textContent = more ? `(${more} more: choose a room or a name)` : `(${people.length})`;
  $('said').hidden = room === '';
  if (room !== '') await messages(room);
}

function row(/** @type {Session} */ p, /** @type {string} */ room) {
  const tr = element('tr');
  const where = room ? ` in ${named(room)}` : ' everywhere';
  const order = { person: p.person, room };
  const name = cell('Name', ...person(p));
  name.title = p.person;
  const who = named(p.name);
  tr.append(name, cell('Rooms', ...p.rooms.flatMap((r, i) => [i ? ', ' : '', element('bdi', r)])), cell('Address', p.address), cell('Transport', p.transport),
    cell('Since', new Date(p.since).toLocaleString()));
  const actions = cell('Actions');
  actions.append(
    button('Mute', p.name, `Mute ${who}${where}?`, 'mute', order, ['minutes']),
    button('Unmute', p.name, `Let ${who} write again${where}?`, 'unmute', order, []),
    button('Kick', p.name, `Take ${who} out${room ? where : ' of the server'}?`, 'kick', order, ['reason']),
    button('Ban', p.name, `Keep ${who} out of the server?`, 'ban', { person: p.person }, ['minutes', 'reason']));
  if (p.address) actions.append(button('Ban address', p.address, `Keep everybody from ${p.address} out?`, 'ban', { address: p.address }, ['minutes', 'reason']));
  tr.append(actions);
  return tr;
}

async function messages(/** @type {string} */ room) {
  const turn = looks;
  const { messages } = await api(`messages?${new URLSearchParams({ room })}`);
  if (turn !== looks) return;
  $('messages').replaceChildren(...messages.reverse().map((/** @type {Said} */ m) => {
    const tr = element('tr');
    const short = [...m.text].length > 80 ? `${[...m.text].slice(0, 80).join('')}…` : m.text;
    const remove = button('Delete', `what ${m.name} said: ${short}`, `Delete what ${named(m.name)} said: “${named(short)}”?`, 'delete', { room, cursor: m.cursor }, []);
    tr.append(cell('Time', new Date(m.time).toLocaleString()), cell('Name', ...person(m)), cell('Text', element('bdi', m.text)), cell('Action', remove));
    return tr;
  }));
}

async function enter() {
  await look();
  $('login').hidden = true;
  $('all').hidden = $('forget').hidden = false;
  status('');
}

$('login').addEventListener('submit', (event) => {
  event.preventDefault();
  keep($('key').value.trim());
  $('key').value = '';
  attempt(enter);
});
$('filter').addEventListener('submit', (event) => {
  event.preventDefault();
  attempt(look);
});
$('room').addEventListener('change', () => attempt(look));
$('forget').addEventListener('click', leave);
$('close').addEventListener('click', () => attempt(async () => {
  const room = $('room').value;
  if (await confirmed(`Take everybody out of ${named(room)}?`, ['reason'])) await act('close', { room, reason: $('reason').value });
}));
$('cancel').addEventListener('click', () => $('ask').close(''));
const checkReason = bounded($('reason'), $('reason-note'), REASON);
if (key) attempt(enter);
