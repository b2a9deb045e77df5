// The page: what the client module reports, shown; what people do, told to it.
// Everything that others wrote goes in as text, never as markup.
import { Chat } from "./client.js";
import { Announcer } from "./announce.js";
import { Box } from "./box.js";
import { Conversation } from "./conversation.js";
import { eachDay } from "./days.js";
import { Frames } from "./frames.js";
import { PLACE, load, remember, ownIdentity, tabStorage } from "./identity.js";
import { spoken } from "./message.js";
import { banner, connection, lists, header, members, total } from "./view.js";
import { Dialog, keys, panels } from "./panels.js";
import { secret as watched } from "./wire.js";
import { bounded } from "./write.js";
import { $ } from "./dom.js";
/** @import { Delivery, Message, Person, Private } from "./client/types.js" */

const DEFAULT_ROOM = "lobby";
const NAME = 32; // characters of a person's or a room's name

const me = load();
/** @type {Map<string, Conversation>} */
const conversations = new Map(); // by key
/** @type {Conversation | null} */
let active = null;
let begun = false;

const announcer = new Announcer($("announcer"));
const frames = new Frames($("frame-list"), () => me.secret);
const chat = new Chat(socketURL(), {
  name: me.name, secret: me.secret, start: false, storage: tabStorage(), key: `framewright outbox${PLACE}`,
});

// socketURL is beside the page, which a proxy may have put under a path.
function socketURL() {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  if (watched) url.searchParams.set("lab", watched); // the server's lab shows this page what goes here, and no other
  return url;
}

// Conversations.

/** @type {import("./conversation.js").Ask} */
const ask = {
  history: (room, o) => chat.history(room, o),
  retry: (id) => chat.retry(id),
  discard: (id) => chat.discard(id),
  newest: (c, below) => {
    if (c === active) $("newest").hidden = !below;
  },
  changed: () => refresh(),
  now: () => chat.now(),
};

function conversation(/** @type {string} */ key, /** @type {Person | null | undefined} */ person = null) {
  let c = conversations.get(key);
  if (!c) {
    c = new Conversation(key, ask, person);
    conversations.set(key, c);
    $("logs").append(c.log.element);
    refresh();
  }
  if (person) c.person = person; // the name of today
  return c;
}

const roomOf = (/** @type {string} */ room) => conversations.get(`#${room}`);

function openRoom(/** @type {string} */ name) {
  const c = conversation(`#${name}`);
  chat.join(name);
  return c;
}

/** goes to a conversation, by way of the page's address, so that going back works. */
function go(/** @type {Conversation} */ c) {
  if (location.hash !== c.hash) history.pushState(null, "", c.hash);
  activate(c);
}

function activate(/** @type {Conversation} */ c) {
  if (c === active) return;
  if (active) {
    active.draft = box.text;
    active.log.hide();
  }
  active = c;
  $("newest").hidden = true;
  box.text = c.draft;
  c.log.show();
  read();
}

function route() {
  const [first] = conversations.values();
  const c = fromHash() ?? active ?? first ?? openRoom(DEFAULT_ROOM);
  if (location.hash && c.hash !== location.hash) history.replaceState(null, "", c.hash);
  activate(c);
}

function fromHash() {
  const hash = location.hash.slice(1);
  try {
    const known = hash.startsWith("@") && conversations.get(decodeURIComponent(hash));
    if (known) return known;
    const room = tidy(decodeURIComponent(hash));
    return room ? openRoom(room) : null;
  } catch {
    return null; // a broken %-escape
  }
}

const tidy = (/** @type {string} */ room) => room.trim().replace(/\s+/g, " ");

function leave(/** @type {Conversation} */ c) {
  const list = [...conversations.values()];
  conversations.delete(c.key);
  c.log.element.remove();
  if (c.room) chat.leave(c.room);
  save();
  if (c === active) {
    active = null;
    const at = list.indexOf(c);
    go(list[at + 1] ?? list[at - 1] ?? openRoom(DEFAULT_ROOM));
  }
  refresh();
}

function save() {
  me.rooms = [...conversations.values()].flatMap((c) => (c.room && !c.closed ? [c.room] : []));
  remember(me);
}

// What is shown anew, once for all that changed at a time.

let due = false;
function refresh() {
  if (due) return;
  due = true;
  queueMicrotask(() => {
    due = false;
    lists([...conversations.values()], active, leave);
    total(conversations.values(), active);
    if (!active) return;
    header(active);
    members(active, chat.you, talkTo);
    const { obstacle } = active;
    $("obstacle").hidden = !obstacle;
    $("obstacle-text").textContent = obstacle;
    $("rejoin").hidden = !active.closed;
    $("rejoin").textContent = active.entered ? "Join again" : "Try again";
    $("send").disabled = Boolean(obstacle) || box.measure();
    $("typing").replaceChildren(...active.writing);
  });
}

function read() {
  if (active && !document.hidden) active.unread = 0;
  refresh();
}
document.addEventListener("visibilitychange", read);

const lookAtDay = eachDay(() => chat.now(), () => {
  for (const c of conversations.values()) c.log.newDay();
});
document.addEventListener("visibilitychange", lookAtDay);

/**
 * @param {Conversation} c
 * @param {number} n  messages
 * @param {boolean} one  it came by itself
 */
function unread(c, n, one = false) {
  if (n === 0 || (c === active && !document.hidden)) return;
  if (c.unread === 0 && c !== active) announcer.say(one ? `New message in ${c.title}` : `New messages in ${c.title}`);
  c.unread += n;
  refresh();
}

function talkTo(/** @type {Person} */ person) {
  go(conversation(`@${person.id}`, person));
  box.focus();
}

// What the server says.

let lost = false;
let greeting = "";
let greeted = "";
chat.on("state", (s) => {
  connection(s);
  banner(s);
  if (s.state !== "online") for (const c of conversations.values()) c.hush();
  if (s.state === "refused") dialog.open(me, s.reason);
  if (s.state === "waiting" && !lost) announcer.say("The connection is lost. What you write is sent later.");
  if (s.state === "online" && lost) announcer.say("Connected again.");
  if (s.state === "online" || s.state === "connecting") frames.online();
  lost = s.state === "waiting" || (s.state === "connecting" && lost);
});

chat.on("welcome", ({ text: words, you, maxText: most }) => {
  if (most) box.most = most;
  dialog.showMe(you);
  if (greeted !== words) greeting = greeted = words; // once is enough: not again after every reconnection
  lookAtDay(); // the server's clock may say another than ours
});

chat.on("renamed", ({ you, text: words }) => {
  me.name = you.name;
  save();
  dialog.showMe(you);
  active?.log.system(words);
  announcer.say(words);
  refresh();
});

chat.on("joined", (e) => {
  const c = openRoom(e.room);
  const first = c.people === 0 && !c.closed;
  const news = first && e.reset ? [] : e.messages.filter((m) => !m.mine && !c.log.has(m.cursor));
  if (news.length > 0 && c !== active) c.log.unread();
  c.joined(e);
  unread(c, news.length);
  if (greeting && c === active) c.log.system(greeting);
  if (c === active) greeting = "";
  save();
});

chat.on("message", (m) => {
  const c = roomOf(m.room);
  if (c) arrived(c, m, m.mine);
});

chat.on("private", (m) => {
  const c = conversation(`@${m.mine ? m.to.id : m.from.id}`, m.mine ? m.to : m.from);
  if (c.isNew(m)) arrived(c, m, m.mine);
});

function arrived(/** @type {Conversation} */ c, /** @type {Message | Private} */ m, /** @type {boolean} */ mine) {
  const away = c !== active || document.hidden;
  if (away && !mine && c.unread === 0) c.log.unread();
  c.message(m);
  if (mine) return;
  unread(c, 1, true);
  if (c === active) announcer.say(spoken(m));
}

/** keyOf is that of the conversation that a message is for. */
const keyOf = (/** @type {Delivery} */ { room, to }) => (room !== undefined ? `#${room}` : `@${to?.id}`);

chat.on("delivery", (d) => {
  const key = keyOf(d);
  if (d.state !== "sending" && !conversations.has(key)) return; // left meanwhile
  const c = conversation(key, d.to);
  c.log.delivery(d, chat.you ?? { id: "", name: me.name });
  if (d.state === "failed") announcer.say(`Not sent: ${d.reason}`);
});

chat.on("presence", (e) => roomOf(e.room)?.presence(e));
chat.on("typing", (e) => roomOf(e.room)?.typing(e.who));
chat.on("deleted", (e) => roomOf(e.room)?.log.gone(e.cursor));
chat.on("left", (e) => {
  roomOf(e.room)?.close(e.reason.replace(/\.$/, ""));
  announcer.say(`You are not in ${e.room} any more: ${e.reason}`);
  save();
});
chat.on("muted", (e) => {
  for (const c of e.room ? [roomOf(e.room)] : conversations.values()) c?.mute(e.until);
  announcer.say(active?.obstacle || "You may write again.");
});
chat.on("notice", (e) => {
  (e.room ? roomOf(e.room) : active)?.log.system(e.text, chat.now(), false);
  announcer.say(e.text);
});
chat.on("error", (e) => active?.log.system(`The server says: ${e.text}`));
chat.on("frame", (f) => frames.add(f));

// What people do.

const box = new Box({
  barred: () => Boolean(active?.obstacle),
  send(words) {
    if (!active) return false;
    active.log.follow(); // who writes wants to see it
    const sent = active.person ? chat.sendPrivate(active.person, words) : chat.send(active.key.slice(1), words);
    if (!sent) active.log.system("Too much waits to be sent already. Your text is still in the box.");
    return Boolean(sent);
  },
  writing: () => active?.room && chat.typing(active.room),
  say: (words) => announcer.say(words),
});

$("newest").addEventListener("click", () => active?.log.follow());
$("retry-now").addEventListener("click", () => chat.connect());
$("rejoin").addEventListener("click", () => {
  if (active?.room) chat.join(active.room);
  box.focus();
});
$("skip").addEventListener("click", (e) => {
  e.preventDefault();
  box.focus();
});
const roomNamed = (/** @type {string} */ words) => tidy(words.replace(/^\s*#/, ""));
const checkRoom = bounded($("room-name"), $("room-note"), NAME, roomNamed);
$("room-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const room = roomNamed($("room-name").value);
  if (!room) return;
  $("room-name").value = "";
  checkRoom();
  go(openRoom(room));
  drawers.close();
  box.focus();
});

const dialog = new Dialog({ most: NAME, roomNamed }, (answer) => {
  const other = answer.onlyTab !== me.onlyTab;
  if (other) Object.assign(me, ownIdentity(answer.onlyTab));
  const renamed = other || answer.name !== me.name || chat.state === "refused";
  me.name = answer.name;
  save();
  if (!begun) {
    chat.name = me.name;
    chat.secret = me.secret;
    begin(answer.room);
    return;
  }
  if (!renamed) return;
  if (other) { // what was shown as our own is somebody else's now
    for (const c of [...conversations.values()]) if (c.person) leave(c);
    for (const c of conversations.values()) c.log.clear();
  }
  chat.rename(me.name, me.secret);
});
$("me-button").addEventListener("click", () => dialog.open(me));

const drawers = panels(frames);
keys({
  step(by) {
    const list = [...conversations.values()];
    if (active) go(list[(list.indexOf(active) + by + list.length) % list.length]);
  },
  escape: () => drawers.close() || box.focus(),
  dialog,
});
$("nav").addEventListener("click", (e) => e.target instanceof Element && e.target.closest("a") && drawers.close());
addEventListener("hashchange", route);
addEventListener("popstate", route);

// Begin.

function begin(/** @type {string | null} */ room = null) {
  begun = true;
  for (const r of me.rooms) openRoom(r);
  for (const m of chat.outbox) conversation(keyOf(m), m.to).log.delivery(m, { id: "", name: me.name });
  const wanted = room && roomNamed(room);
  if (wanted) go(openRoom(wanted));
  else route();
  dialog.showMe({ id: "", name: me.name });
  chat.connect();
  if (!matchMedia("(pointer: coarse)").matches) box.focus(); // a phone's keyboard would cover the page
}

if (me.new) {
  dialog.first(me, tidy(roomIn(location.hash)) || DEFAULT_ROOM);
} else {
  begin();
}

function roomIn(/** @type {string} */ hash) {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return "";
  }
}
