// Step, play, pause: a hidden whole-number setting that the reader walks through.

import { html } from "./elements.js";

// `store` holds the step in setting `name`; `count()` says how many steps there are now, and
// `words(step)` what a screen reader hears of one. Steps go from 0 to count − 1. Call `refresh` in
// the widget's update and `close` at its end. `pace`, in milliseconds, may be a function. While it
// plays, nothing is announced.
export function player(store, name, { count, words = (step) => `Step ${step + 1}`, pace = 700 }) {
  let timer = null;
  const last = () => Math.max(0, count() - 1);
  const now = () => Math.min(store.get(name), last());
  const go = (step) => store.set({ [name]: Math.min(last(), Math.max(0, step)) });
  const pause = () => { clearInterval(timer); timer = null; refresh(); };
  const tick = () => { if (now() < last()) go(now() + 1); if (now() >= last()) pause(); };
  const toggle = () => {
    if (timer) { pause(); return; }
    if (now() >= last()) go(0);
    timer = setInterval(tick, typeof pace === "function" ? pace() : pace);
    refresh();
  };
  const press = (act) => () => { if (timer) pause(); act(); };
  const button = (label, sign, act) => html("button", { type: "button", "aria-label": label, title: label, onclick: act }, sign);
  const play = button("Play", "▶", toggle);
  const first = button("First step", "«", press(() => go(0)));
  const back = button("One step back", "‹", press(() => go(now() - 1)));
  const next = button("One step on", "›", press(() => go(now() + 1)));
  const end = button("Last step", "»", press(() => go(last())));
  const range = html("input", { type: "range", id: name, min: 0, step: 1, "aria-label": "Step", oninput: press(() => go(Number(range.value))) });
  const place = html("span", { class: "value", "aria-hidden": "true" });
  function refresh() {
    range.max = last();
    range.value = now();
    range.setAttribute("aria-valuetext", words(now()));
    place.textContent = `${now() + 1} of ${last() + 1}`;
    const word = timer ? "Pause" : "Play";
    play.textContent = timer ? "❚❚" : "▶";
    play.setAttribute("aria-label", word);
    play.title = word;
    // Not `disabled`: a button that has the focus would lose it at the end.
    for (const [node, off] of [[first, now() === 0], [back, now() === 0], [next, now() === last()], [end, now() === last()]]) node.setAttribute("aria-disabled", off);
  }
  return { node: html("div", { class: "player", role: "group", "aria-label": "Steps" }, first, back, play, next, end, range, place), refresh, playing: () => timer !== null, close: () => clearInterval(timer) };
}
