// A conversation is a room, or what two people say in private: its messages, who
// is here, who is writing, and what of it was not read yet.
import { name, account, hourOf } from "./dom.js";
import { Log } from "./log.js";
/** @import { Events, Message, Person, Private } from "./client/types.js" */
/** @import { Written } from "./message.js" */

const TYPING = 4500; // ms that one word of it lasts
const CROWD = 30; // people: above, their coming and going is no news

/**
 * What a conversation asks of the page.
 * @typedef {object} Ask
 * @property {(room: string, o: { before: string, limit: number }) => Promise<{ messages: Message[], more: boolean }>} history
 * @property {(id: string) => void} retry
 * @property {(id: string) => void} discard
 * @property {(c: Conversation, below: boolean) => void} newest  there is something new below, or no more
 * @property {(c: Conversation) => void} changed  something besides the messages is to be shown anew
 * @property {() => Date} now  the server's time, by which everything here goes
 */

export class Conversation {
  people = 0;
  unread = 0;
  draft = "";
  closed = ""; // why nothing can be written here
  entered = false; // the room, at least once
  muted = 0; // until then, by the server's clock
  /** @type {Map<string, Person>} */
  members = new Map(); // by id
  /** @type {Set<string>} */
  #heard = new Set(); // private messages, which have no cursor
  /** @type {Map<string, { name: string, timer: number }>} */
  #typing = new Map(); // by id

  /**
   * @param {string} key  "#room" or "@id"
   * @param {Ask} ask
   * @param {Person | null} person  of a private one
   */
  constructor(key, ask, person = null) {
    this.key = key;
    this.person = person;
    this.room = person ? null : key.slice(1);
    this.changed = () => ask.changed(this);
    this.now = ask.now;
    this.log = new Log(this.title, person ? "Only the two of you see this, and it is kept nowhere: with this page it is gone." :
      `This is the beginning of #${this.room}.`, {
      history: (before, limit) => ask.history(key.slice(1), { before, limit }),
      now: ask.now,
      retry: ask.retry,
      discard: ask.discard,
      newest: (below) => ask.newest(this, below),
    });
  }

  get title() {
    return this.person ? this.person.name : `#${this.room}`;
  }

  /** hash is this conversation's place in the page's address. */
  get hash() {
    return this.person ? `#@${encodeURIComponent(this.person.id)}` : `#${encodeURIComponent(this.key.slice(1))}`;
  }

  joined(/** @type {Events["joined"]} */ e) {
    this.closed = "";
    this.entered = true;
    this.members = new Map(e.members.map((p) => [p.id, p]));
    this.people = e.people;
    this.log.joined(e);
    this.changed();
  }

  message(/** @type {Written} */ m) {
    this.stopTyping(m.from.id);
    return this.log.message(m);
  }

  /** isNew says of each private message once that it is, though it may come again. */
  isNew(/** @type {Private} */ { from, id }) {
    const key = `${from.id} ${id}`;
    const known = this.#heard.has(key);
    this.#heard.add(key);
    return !known;
  }

  presence(/** @type {Events["presence"]} */ e) {
    const { who, here, people, time } = e;
    const known = this.members.get(who.id);
    if (here) this.members.set(who.id, who);
    else this.members.delete(who.id);
    this.people = people;
    this.stopTyping(who.id);
    if (people <= CROWD) {
      if (here && known && known.name !== who.name) this.log.system([name(known.name), " is now ", name(who.name), account(who)], time);
      else if (!here || !known) this.log.system([name(who.name), account(who), here ? " joined" : " left"], time);
    }
    this.changed();
  }

  /** close is when the server let us in no more. */
  close(/** @type {string} */ reason) {
    this.closed = reason;
    this.members.clear();
    this.people = 0;
    if (this.entered) this.log.system(`You are not in this room any more: ${reason}.`, this.now(), false);
    this.changed();
  }

  /** mute is until when nothing can be written; a time that is past ends it. */
  mute(/** @type {string} */ until) {
    this.muted = new Date(until).getTime();
    const left = this.muted - this.now().getTime();
    const over = left <= 0;
    this.log.system(over ? "You may write here again." : `You may not write here until ${hourOf(until)}.`);
    if (!over) setTimeout(this.changed, Math.min(left + 500, 2 ** 31 - 1));
    this.changed();
  }

  /** obstacle says why nothing can be written now, if that is so. */
  get obstacle() {
    if (this.closed) return `${this.entered ? "You are not in this room" : "This room cannot be entered"}: ${this.closed}.`;
    if (this.muted > this.now().getTime()) return `You may not write here until ${hourOf(this.muted)}.`;
    return "";
  }

  typing(/** @type {Person} */ who) {
    clearTimeout(this.#typing.get(who.id)?.timer);
    this.#typing.set(who.id, { name: who.name, timer: setTimeout(() => this.stopTyping(who.id), TYPING) });
    this.changed();
  }

  stopTyping(/** @type {string} */ id) {
    clearTimeout(this.#typing.get(id)?.timer);
    if (this.#typing.delete(id)) this.changed();
  }

  /** hush is when nobody can be heard. */
  hush() {
    for (const id of [...this.#typing.keys()]) this.stopTyping(id);
  }

  /** writing is who is writing, as parts of a line. */
  get writing() {
    const names = Array.from(this.#typing.values(), (t) => name(t.name));
    if (names.length === 0) return [];
    if (names.length > 2) return ["Several people are writing…"];
    return names.length === 1 ? [names[0], " is writing…"] : [names[0], " and ", names[1], " are writing…"];
  }
}
