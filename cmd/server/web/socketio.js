// A chat room as a first tutorial of Socket.IO has it. socket.io/socket.io.js
// has defined io. The path is beside the page, wherever a proxy has put that.
(() => {
  'use strict';

  const most = 500; // lines on the page
  /**
   * @template {Element} E
   * @param {string} selector
   * @param {new () => E} kind
   */
  const $ = (selector, kind) => {
    const e = document.querySelector(selector);
    if (e instanceof kind) return e;
    throw new Error(`the page has no ${selector}`);
  };
  const status = $('#status', HTMLElement);
  const messages = $('#messages', HTMLElement);
  const text = $('#text', HTMLInputElement);

  const show = (/** @type {string} */ line, kind = '', place = '') => {
    const atEnd = messages.scrollTop + messages.clientHeight >= messages.scrollHeight - 40;
    const li = document.createElement('li');
    li.textContent = line;
    if (kind) li.className = kind;
    if (place) li.dataset.place = place;
    messages.append(li);
    while (messages.childElementCount > most) messages.firstElementChild?.remove();
    if (atEnd) messages.scrollTop = messages.scrollHeight;
  };

  // What is cut off for a moment goes on where it was.
  const { io } = /** @type {{ io: typeof import('./socketio-client/io.js').io }} */ (/** @type {unknown} */ (globalThis));
  const socket = io({ path: new URL('socket.io/', location.href).pathname, auth: { recover: true } });

  const say = (/** @type {string} */ state, /** @type {string} */ words) => {
    status.dataset.state = state;
    status.textContent = words;
  };
  const connected = () => say('online', `Connected (${socket.io.engine?.transport.name})`);
  socket.on('connect', connected);
  socket.io.on('upgrade', connected);
  socket.on('disconnect', () => say('offline', socket.active ? 'Disconnected, trying again' : 'Disconnected'));
  socket.on('connect_error', (e) => {
    say('offline', socket.active ? 'No connection yet, trying again' : e.message);
  });
  socket.on('message', (line, place) => show(line, '', place));
  socket.on('deleted', ({ place }) => {
    for (const li of messages.querySelectorAll('li')) if (li.dataset.place === place) li.remove();
  });
  socket.on('presence', ({ name, was, here, people }) => {
    show(was ? `${was} is now ${name}` : `${name} ${here ? 'joined' : 'left'}; ${people} here`, 'note');
  });
  socket.on('renamed', (e) => show(e.text, 'note'));
  socket.on('notice', (notice) => show(notice.text, 'note'));

  $('#form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const line = text.value.trim();
    if (line === '') return;
    if (/\p{Surrogate}/u.test(line)) {
      show('Not sent: the text has half of a character in it (a lone surrogate), which cannot be sent', 'note');
      return;
    }
    // What the server would not even read it would close the connection for.
    const most = (socket.io.engine?.maxPayload ?? Infinity) - 512;
    const size = new TextEncoder().encode(JSON.stringify(line)).length;
    if (size > most) {
      show(`Not sent: the text has ${size} bytes, and the server takes ${most}`, 'note');
      return;
    }
    text.value = '';
    socket.emit('message', line, crypto.randomUUID?.() ?? String(Math.random()), (/** @type {{ error?: string } | undefined} */ answer) => {
      if (!answer?.error) return;
      const free = text.value === '';
      show(`Not sent: ${answer.error}${free ? '' : `: ${line}`}`, 'note');
      if (free) text.value = line; // nothing is lost
    });
  });
})();
