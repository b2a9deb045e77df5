// Tests of cmd/server/web/days.js: TestClientModule runs them, beside a copy of it,
// in a time zone that has summer time.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { eachDay, same, untilMidnight } from "./days.js";

const HOUR = 3_600_000;

for (const [what, time, left] of [
  ["noon", "2026-01-02T12:00:00", 12 * HOUR],
  ["the last millisecond", "2026-01-02T23:59:59.999", 1],
  ["midnight", "2026-01-03T00:00:00", 24 * HOUR],
  ["the last of a year", "2026-12-31T23:00:00", HOUR],
  ["the day on which summer time begins", "2026-03-29T00:00:00", 23 * HOUR],
  ["the day on which it ends", "2026-10-25T00:00:00", 25 * HOUR],
]) {
  test(`from ${what} until midnight`, () => assert.equal(untilMidnight(new Date(time)), left));
}

test("each day is told of once, as soon as it has begun", (t) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: new Date("2026-03-27T23:00:00") });
  t.after(() => mock.timers.reset());
  const told = [];
  eachDay(() => new Date(), () => told.push(new Date().toISOString()));
  mock.timers.tick(HOUR - 30_000);
  mock.timers.tick(29_999);
  assert.deepEqual(told, [], "too early");
  mock.timers.tick(1);
  assert.equal(told.length, 1, "too late");
  for (let hours = 0; hours < 47; hours++) mock.timers.tick(HOUR); // two days, of which one has 23
  assert.deepEqual(told, ["2026-03-28", "2026-03-29", "2026-03-30"].map((day) => new Date(`${day}T00:00:00`).toISOString()));
});

test("a clock that jumps, in either direction, shows within a minute, and at once to who looks", (t) => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: new Date("2026-01-02T12:00:00") });
  t.after(() => mock.timers.reset());
  let off = 0;
  let told = 0;
  const now = () => new Date(Date.now() + off);
  const look = eachDay(now, () => told++);
  off = 24 * HOUR;
  mock.timers.tick(60_000);
  assert.equal(told, 1);
  off = 0;
  look();
  look();
  assert.equal(told, 2);
  mock.timers.tick(60_000);
  assert.equal(told, 2);
  assert.ok(same(now(), new Date("2026-01-02T00:00:00")));
});
