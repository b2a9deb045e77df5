// The page: what the client module reports, shown; what people do, told to it.
// Everything that others wrote goes in as text, never as markup.
import { Chat } from "./client.js";
import { Log } from "./log.js";
import { Frames } from "./frames.js";
import { load, remember, ownIdentity } from "./identity.js";
import { $, el, avatar } from "./dom.js";

const me = load();
let room = roomOfHash();
const members = new Map(); // id → person

const log = new Log($("scroller"), $("messages"), $("newest"));
const frames = new Frames($("frame-list"));
const chat = new Chat(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, {
  name: me.name, secret: me.secret, start: false,
});

// What the server says.

chat.on("state", ({ state, retryAt, reason }) => {
  const words = { connecting: "connecting", online: "connected", waiting: "offline", refused: "not connected", stopped: "disconnected" };
  $("state").textContent = words[state];
  $("state").dataset.state = state;
  banner(state, retryAt, reason);
  if (state === "refused") openDialog(reason);
});

let greeted = ""; // once is enough: not again after every reconnection
chat.on("welcome", ({ text, you }) => {
  showMe(you);
  if (greeted !== text) log.system(text);
  greeted = text;
});

chat.on("joined", (e) => {
  if (e.room !== room) return;
  members.clear();
  for (const p of e.members) members.set(p.id, p);
  showMembers(e.people);
  log.joined(e);
});

chat.on("message", (m) => {
  if (m.room !== room) return;
  stopTyping(m.from.id);
  log.message(m);
  if (document.hidden && !m.mine) unread(1);
});

chat.on("delivery", (d) => d.room === room && log.delivery(d, chat.you ?? { id: "", name: me.name }));
log.onRetry = (id) => chat.retry(id);

chat.on("presence", (e) => {
  if (e.room !== room) return;
  if (e.here) members.set(e.who.id, e.who);
  else members.delete(e.who.id);
  stopTyping(e.who.id);
  showMembers(e.people);
  log.system(`${e.who.name} ${e.here ? "joined" : "left"}`, e.time);
});

chat.on("notice", (e) => (!e.room || e.room === room) && log.system(e.text));
chat.on("error", (e) => log.system(`The server says: ${e.text}`));
chat.on("frame", (f) => frames.add(f));

// What people do.

const text = $("text");
let typedAt = 0; // when the others were last told that we write

$("form").addEventListener("submit", (e) => {
  e.preventDefault();
  const words = text.value.trim();
  if (words) {
    log.follow(); // who writes wants to see it
    chat.send(room, words);
    text.value = "";
    typedAt = 0;
    fit();
  }
  text.focus();
});

text.addEventListener("keydown", (e) => {
  if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
    e.preventDefault();
    $("form").requestSubmit();
  }
});

text.addEventListener("input", () => {
  fit();
  if (text.value.trim() && Date.now() - typedAt > 2500) {
    typedAt = Date.now();
    chat.typing(room);
  }
});

// fit gives the box as many lines as its text has; the style sheet says how
// many at most.
function fit() {
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
}

addEventListener("hashchange", () => enter(roomOfHash()));

function roomOfHash() {
  try {
    return decodeURIComponent(location.hash.slice(1)).trim() || "lobby";
  } catch {
    return "lobby"; // a broken %-escape
  }
}

function enter(name) {
  $("room").textContent = name;
  unread(0);
  if (name === room) return;
  chat.leave(room);
  room = name;
  members.clear();
  showMembers(0);
  log.clear();
  chat.join(room);
}

// Who is here.

function showMembers(people) {
  $("count").textContent = people;
  const list = [...members.values()].sort((a, b) => a.name.localeCompare(b.name));
  $("members").replaceChildren(...list.map((p) => {
    const you = p.id === chat.you?.id;
    return el("li", {}, avatar(p), el("span", { class: "member-name" }, p.name), you && el("span", { class: "you" }, "you"));
  }), ...(people > list.length ? [el("li", { class: "more" }, `and ${people - list.length} more`)] : []));
}

function showMe(you) {
  $("my-name").textContent = you.name;
  $("my-avatar").replaceWith(Object.assign(avatar(you), { id: "my-avatar" }));
}

const typing = new Map(); // id → { name, timer }
chat.on("typing", ({ room: where, who }) => {
  if (where !== room) return;
  clearTimeout(typing.get(who.id)?.timer);
  typing.set(who.id, { name: who.name, timer: setTimeout(() => stopTyping(who.id), 4000) });
  showTyping();
});

function stopTyping(id) {
  clearTimeout(typing.get(id)?.timer);
  if (typing.delete(id)) showTyping();
}

function showTyping() {
  const names = Array.from(typing.values(), (t) => t.name);
  $("typing").textContent = names.length === 0 ? "" : names.length > 2 ? "Several people are writing…" :
    `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} writing…`;
}

// The connection's banner: only when there is something to know, and not for a
// blip.

let bannerTimer = 0;
function banner(state, retryAt, reason) {
  clearInterval(bannerTimer);
  const bar = $("banner");
  if (state === "online" || state === "refused") {
    bar.hidden = true;
    return;
  }
  if (state === "connecting") return; // as it was
  const show = () => {
    const left = Math.ceil((retryAt - Date.now()) / 1000);
    $("banner-text").textContent = state === "stopped" ? `Disconnected${reason ? `: ${reason}` : ""}.` :
      navigator.onLine === false ? "You are offline. What you write is sent later." :
      `No connection${reason ? ` (${reason})` : ""}. What you write is sent later; next try in ${Math.max(left, 1)} s.`;
    bar.hidden = false;
  };
  show();
  if (state === "waiting") bannerTimer = setInterval(show, 1000);
}
$("retry-now").addEventListener("click", () => chat.connect());

// The title says what was missed while the tab was hidden.

let missed = 0;
function unread(n) {
  missed = n ? missed + n : 0;
  document.title = `${missed ? `(${missed}) ` : ""}#${$("room").textContent} · Framewright chat`;
}
document.addEventListener("visibilitychange", () => document.hidden || unread(0));

// The dialog for name and room.

const dialog = $("me");

function openDialog(error) {
  $("name").value = me.name;
  $("room-name").value = room;
  $("only-tab").checked = me.onlyTab;
  $("me-error").textContent = error ?? "";
  $("me-error").hidden = !error;
  if (!dialog.open) dialog.showModal();
  $("name").select();
}

$("me-button").addEventListener("click", () => openDialog());
$("me-cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (e) => e.target === dialog && dialog.close()); // the backdrop
$("me-form").addEventListener("submit", () => {
  const name = $("name").value.trim();
  const where = $("room-name").value.trim();
  const onlyTab = $("only-tab").checked;
  if (where && where !== room) location.hash = encodeURIComponent(where);
  if (name && (name !== me.name || onlyTab !== me.onlyTab || chat.state === "refused")) {
    if (onlyTab !== me.onlyTab) Object.assign(me, ownIdentity(onlyTab));
    me.name = name;
    remember(me);
    log.clear();
    chat.rename(me.name, me.secret);
  }
});

// Panels.

function toggle(button, panel, open) {
  button.setAttribute("aria-expanded", String(open));
  panel(open);
}
const side = (open) => toggle($("people-button"), (o) => document.body.classList.toggle("show-side", o), open);
$("people-button").addEventListener("click", () => {
  side(!document.body.classList.contains("show-side"));
  $("side-close").focus();
});
$("side-close").addEventListener("click", () => {
  side(false);
  $("people-button").focus();
});

const showFrames = (open) => toggle($("frames-button"), (o) => {
  $("frames").hidden = !o;
  frames.shown(o);
  if (o) side(false);
}, open);
$("frames-button").addEventListener("click", () => showFrames($("frames").hidden));
$("frames-close").addEventListener("click", () => showFrames(false));
$("frames-clear").addEventListener("click", () => frames.clear());

addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || dialog.open) return;
  if (document.body.classList.contains("show-side")) side(false);
  else if (!$("frames").hidden) showFrames(false);
});

// Begin.

showMe({ id: "", name: me.name });
enter(room);
chat.join(room);
chat.connect();
if (matchMedia("(pointer: fine)").matches) text.focus(); // a phone's keyboard would cover the page
