// What all pages of the lab have: the way to the others.
import { $, el } from "./dom.js";

const PAGES = [
  ["./", "Live wire"],
  ["./decode", "Decoder"],
  ["./workshop", "Frame workshop"],
  ["./break", "Break it"],
  ["./measure", "Measured"],
  ["./room", "Slow readers"],
  ["./compression", "Compression"],
  ["./lessons", "Lessons"],
  ["./build", "Build your own"],
  ["./teacher", "For teachers"],
];

const here = location.pathname.replace(/^.*\/lab\//, "./").replace(/(?:lesson-\d+|source)$/, "lessons");
$("nav").append(el("ul", {}, ...PAGES.map(([href, name]) =>
  el("li", {}, el("a", { href, "aria-current": href === here ? "page" : null }, name)))));
