// The operator's page. It keeps the key for as long as its tab is there, shows it
// in a header, and asks before it does anything.

const $ = (id) => document.querySelector(`#${id}`);
const kept = 'framewright admin key';
const status = (text) => { $('status').textContent = text; };

async function api(path, body) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(kept)}` };
  if (body) headers['Content-Type'] = 'application/json';
  const answer = await fetch(`api/${path}`, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), cache: 'no-store', credentials: 'omit' });
  const said = await answer.json().catch(() => ({}));
  if (answer.status === 401) leave();
  if (!answer.ok) throw new Error(said.text ?? `the server says ${answer.status}`);
  return said;
}

function leave() {
  sessionStorage.removeItem(kept);
  $('all').hidden = $('forget').hidden = true;
  $('login').hidden = false;
  $('key').focus();
}

/** attempt does what may fail, and says so where a screen reader hears it. */
async function attempt(f) {
  try {
    await f();
  } catch (e) {
    status(`That did not work: ${e.message}`);
  }
}

function element(tag, text, props = {}) {
  const e = Object.assign(document.createElement(tag), props);
  if (text !== undefined) e.textContent = text;
  return e;
}

/** button does an action after a question. */
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

async function act(action, order) {
  const { count } = await api(action, order);
  await look();
  status(`Done: ${action}, ${count}.`);
}

function confirmed(question, rows) {
  $('question').textContent = question;
  $('minutes-row').hidden = !rows.includes('minutes');
  $('reason-row').hidden = !rows.includes('reason');
  $('reason').value = '';
  const ask = $('ask');
  ask.returnValue = '';
  ask.showModal();
  return new Promise((done) => ask.addEventListener('close', () => done(ask.returnValue === 'yes'), { once: true }));
}

async function look() {
  const room = $('room').value;
  const query = new URLSearchParams({ room, name: $('name').value });
  const [{ rooms }, { people, more }] = await Promise.all([api('rooms'), api(`people?${query}`)]);
  const here = rooms.some((r) => r.name === room) || room === '' ? rooms : [...rooms, { name: room, people: 0 }];
  $('room').replaceChildren(element('option', `all (${rooms.length})`, { value: '' }),
    ...here.map((r) => element('option', `${r.name} (${r.people})`, { value: r.name })));
  $('room').value = room;
  $('close').disabled = room === '';
  $('people').replaceChildren(...people.map((p) => row(p, room)));
  $('more').textContent = more ? `(${more} more: choose a room or a name)` : `(${people.length})`;
  $('said').hidden = room === '';
  if (room !== '') await messages(room);
}

function row(p, room) {
  const tr = element('tr');
  const where = room ? ` in ${room}` : ' everywhere';
  const order = { person: p.person, room };
  tr.append(element('td', p.account ? `${p.name} (account)` : p.name, { title: p.person }), element('td', p.rooms.join(', ')), element('td', p.address), element('td', p.transport),
    element('td', new Date(p.since).toLocaleString()));
  const actions = element('td');
  actions.append(
    button('Mute', p.name, `Mute ${p.name}${where}?`, 'mute', order, ['minutes']),
    button('Unmute', p.name, `Let ${p.name} write again${where}?`, 'unmute', order, []),
    button('Kick', p.name, `Take ${p.name} out${room ? where : ' of the server'}?`, 'kick', order, ['reason']),
    button('Ban', p.name, `Keep ${p.name} out of the server?`, 'ban', { person: p.person }, ['minutes', 'reason']));
  if (p.address) actions.append(button('Ban address', p.address, `Keep everybody from ${p.address} out?`, 'ban', { address: p.address }, ['minutes', 'reason']));
  tr.append(actions);
  return tr;
}

async function messages(room) {
  const { messages } = await api(`messages?${new URLSearchParams({ room })}`);
  $('messages').replaceChildren(...messages.reverse().map((m) => {
    const tr = element('tr');
    const action = element('td');
    action.append(button('Delete', `what ${m.name} said`, `Delete what ${m.name} said: “${m.text.slice(0, 80)}”?`, 'delete', { room, cursor: m.cursor }, []));
    tr.append(element('td', new Date(m.time).toLocaleString()), element('td', m.name), element('td', m.text), action);
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
  sessionStorage.setItem(kept, $('key').value.trim());
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
  if (await confirmed(`Take everybody out of ${room}?`, ['reason'])) await act('close', { room, reason: $('reason').value });
}));
if (sessionStorage.getItem(kept)) attempt(enter);
