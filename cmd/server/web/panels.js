// Drawers, the frames panel, the dialog, and the keys that work everywhere.
import { $, account, avatar, parts } from "./dom.js";
import { bounded } from "./write.js";
/** @import { Person } from "./client/types.js" */
/** @import { Frames } from "./frames.js" */
/** @import { Me } from "./identity.js" */

/** @typedef {{ button: HTMLElement, close: HTMLElement, class: string, fits: MediaQueryList }} Drawer */

/** panels makes the drawers work, which only narrow windows have, and the frames panel. */
export function panels(/** @type {Frames} */ frames) {
  /** @type {Drawer[]} */
  const drawers = [
    { button: $("nav-button"), close: $("nav-close"), class: "show-nav", fits: matchMedia("(min-width: 48rem)") },
    { button: $("people-button"), close: $("side-close"), class: "show-side", fits: matchMedia("(min-width: 75rem)") },
  ];
  /** @type {Drawer | null} */
  let open = null;
  function show(/** @type {Drawer | null} */ d) {
    if (open) {
      document.body.classList.remove(open.class);
      open.button.setAttribute("aria-expanded", "false");
    }
    const before = open;
    open = d;
    $("main").inert = $("skip").inert = Boolean(d);
    $("veil").hidden = !d;
    if (d) {
      document.body.classList.add(d.class);
      d.button.setAttribute("aria-expanded", "true");
      d.close.focus();
    } else if (before && !before.fits.matches) {
      before.button.focus(); // where there is no drawer there is no button either
    }
  }
  for (const d of drawers) {
    d.button.addEventListener("click", () => show(open === d ? null : d));
    d.close.addEventListener("click", () => show(null));
    // Only a window that has become wide enough for the panel itself closes its
    // drawer. The event comes late, so it may be of a width that is past.
    d.fits.addEventListener("change", () => open === d && d.fits.matches && show(null));
  }
  $("veil").addEventListener("click", () => show(null));

  const showFrames = (/** @type {boolean} */ shown) => {
    $("frames-button").setAttribute("aria-expanded", String(shown));
    $("frames").hidden = !shown;
    frames.shown(shown);
  };
  $("frames-button").addEventListener("click", () => {
    const shown = Boolean($("frames").hidden);
    if (open) show(null);
    showFrames(shown);
    if (shown) $("frame-list").focus();
  });
  $("frames-close").addEventListener("click", () => close());
  $("frames-clear").addEventListener("click", () => frames.clear());

  // close closes what is open, the topmost first, and reports whether anything was.
  function close() {
    if (open) {
      show(null);
      return true;
    }
    if ($("frames").hidden) return false;
    const back = $("frames").contains(document.activeElement);
    showFrames(false);
    if (back) ($("frames-button").offsetParent ? $("frames-button") : $("people-button")).focus();
    return true;
  }
  return { close };
}

/**
 * keys: Escape, and Alt with an arrow for the next conversation.
 * @param {{ step: (by: number) => void, escape: () => void, dialog: Dialog }} o
 */
export function keys({ step, escape, dialog }) {
  addEventListener("keydown", (e) => {
    if (dialog.shown || e.isComposing || e.keyCode === 229) return;
    if (e.key === "Escape") {
      escape();
    } else if (e.altKey && !e.ctrlKey && !e.metaKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
      e.preventDefault();
      step(e.key === "ArrowUp" ? -1 : 1);
    }
  });
}

/** Dialog asks for the name, and the first time for the room. */
export class Dialog {
  #dialog = $("me");
  #first = false;
  #answer;
  #checks;

  /**
   * @param {object} o
   * @param {number} o.most  characters that a name may have, of a person or of a room
   * @param {(words: string) => string} o.roomNamed  makes a room's name of what was written
   * @param {(answer: { name: string, onlyTab: boolean, room: string | null }) => void} answer
   */
  constructor({ most, roomNamed }, answer) {
    this.#answer = answer;
    this.#checks = [bounded($("name"), $("name-note"), most), bounded($("first-room"), $("first-room-note"), most, roomNamed)];
    $("me-cancel").addEventListener("click", () => this.#dialog.close());
    this.#dialog.addEventListener("click", (e) => e.target === this.#dialog && !this.#first && this.#dialog.close()); // the backdrop
    $("me-form").addEventListener("submit", () => this.#first || this.#submit());
    // The first time Escape counts, too: the suggestion is good enough. The
    // dialog has to be gone before something else can have the focus.
    this.#dialog.addEventListener("close", () => this.#first && this.#submit());
  }

  get shown() {
    return this.#dialog.open;
  }

  #submit() {
    const first = this.#first;
    this.#first = false;
    const right = (/** @type {HTMLInputElement} */ input) => (input.validity.customError ? "" : input.value.trim()); // Escape leaves what it likes
    const name = right($("name"));
    if (name || first) {
      this.#answer({ name: name || $("name").defaultValue, onlyTab: $("only-tab").checked, room: first ? right($("first-room")) : null });
    }
  }

  /** first asks who has never been here. */
  first(/** @type {Me} */ me, /** @type {string} */ room) {
    this.#first = true;
    $("name").defaultValue = me.name;
    $("first-room").value = room;
    this.#show(me, "", "Welcome");
  }

  /** open asks for another name; error is what is wrong with this one. */
  open(/** @type {Me} */ me, error = "") {
    this.#show(me, error, "Your name");
  }

  #show(/** @type {Me} */ me, /** @type {string} */ error, /** @type {string} */ title) {
    $("me-title").textContent = title;
    $("me-intro").hidden = $("first-room-row").hidden = !this.#first;
    $("me-cancel").hidden = this.#first;
    $("me-ok").textContent = this.#first ? "Start chatting" : "Save";
    $("name").value = me.name;
    for (const check of this.#checks) check();
    $("only-tab").checked = me.onlyTab;
    $("me-error").textContent = error;
    $("me-error").hidden = !error;
    if (!this.#dialog.open) this.#dialog.showModal();
    $("name").focus();
    $("name").select();
  }

  /** showMe shows the name that is in use. */
  showMe(/** @type {Person} */ you) {
    $("my-name").replaceChildren(...parts(you.name, account(you)));
    $("my-avatar").replaceWith(Object.assign(avatar(you), { id: "my-avatar" }));
  }
}
