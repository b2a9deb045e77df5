// Loads this page again when a file of its folder has changed: the server has put
// this here because of -dev.
"use strict";
{
  const self = new URL(/** @type {HTMLScriptElement} */ (document.currentScript).src);
  const at = self.searchParams.get("at");
  const often = 500; // ms
  let last = at;

  async function look() {
    let pause = often;
    try {
      const answer = await fetch(new URL("state", self), { cache: "no-store" });
      const now = answer.ok ? await answer.text() : at;
      // Twice the same: whoever saves a file has done so.
      if (now !== at && now === last) return location.reload();
      last = now;
    } catch {
      pause = 4 * often; // the server is being started again, perhaps
    }
    setTimeout(look, pause);
  }
  setTimeout(look, often);
}
