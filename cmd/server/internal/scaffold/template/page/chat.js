'use strict';

const socket = io(); // socket.io.js has defined it
const status = document.getElementById('status');
const messages = document.getElementById('messages');
const text = document.getElementById('text');

socket.on('connect', () => { status.textContent = 'Connected'; });
socket.on('disconnect', () => { status.textContent = 'Disconnected'; });
socket.on('connect_error', () => { status.textContent = 'No connection'; });

socket.on('message', (line) => {
  const li = document.createElement('li');
  li.textContent = line; // never innerHTML: somebody else has written it
  messages.append(li);
  li.scrollIntoView({ block: 'nearest' });
});

document.getElementById('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (text.value.trim() === '') return;
  socket.emit('message', text.value);
  text.value = '';
});
