// Pooling stepper: window after window, forward to the answers, backward to who gets the gradient.

import { fixed, html, legend, table, tell } from "./elements.js";
import { GRID, grid } from "./grid.js";
import { player } from "./player.js";
import { frame, homes } from "./shared.js";
import { measure, outputSize } from "./shapes.js";
import spec from "./pooling.json" with { type: "json" };

const WIDE = 7; // numbers in a row of `cells`, whose top left corner is the plane
const upTo = (count) => [...Array(count).keys()];

// --- arithmetic: what cnnlib.reference.pool computes -------------------------------------------------

// The plane, the side of the output (0 if the window does not fit), and each window: the places of
// its numbers, its winner (the first of the largest), what equals that, and its answer. `read` holds
// the places that any window reads, `step` the window that the reader has reached.
export function pool(values) {
  const { kind, kernel, stride, size, cells } = values, taps = upTo(kernel);
  const numbers = upTo(size * size).map((i) => cells[Math.floor(i / size) * WIDE + (i % size)] ?? 0);
  const side = kernel > size ? 0 : outputSize(values, "floor");
  const windows = upTo(side * side).map((index) => {
    const first = stride * (Math.floor(index / side) * size + (index % side));
    const places = taps.flatMap((row) => taps.map((column) => first + row * size + column));
    const winner = places.reduce((best, place) => (numbers[place] > numbers[best] ? place : best));
    const total = places.reduce((sum, place) => sum + numbers[place], 0);
    const equals = places.filter((place) => numbers[place] === numbers[winner]);
    return { places, winner, equals, total, answer: kind === "max" ? numbers[winner] : total / kernel ** 2 };
  });
  return { numbers, side, windows, read: new Set(windows.flatMap((w) => w.places)), step: Math.min(values.step, windows.length - 1) };
}

// The input's gradient when so many windows have passed on theirs, which are 1, 2, 3, …
export function gradient({ kind, kernel }, { numbers, windows }, count) {
  const got = numbers.map(() => 0), max = kind === "max";
  windows.slice(0, count).forEach(({ winner, places }, index) => { for (const place of max ? [winner] : places) got[place] += index + 1; });
  return max ? got : got.map((sum) => sum / kernel ** 2);
}

// --- sentences; pooling.py writes the same ones, and a test compares them ------------------------------

const short = (number) => fixed(number).replace(/\.?0+$/, "");
const divided = (a, b) => `${short(a)}/${b} ${(100 * a) % b ? "≈" : "="} ${short(a / b)}`;
const lines = (numbers, wide) => upTo(wide).map((row) => numbers.slice(row * wide, (row + 1) * wide).map(short).join(", ")).join("; ");

export function verdict(values) {
  const { kind, kernel, stride, size, direction } = values, all = pool(values), { windows, numbers, step } = all;
  if (step < 0) return `The window does not fit: it is ${kernel} wide, the input only ${size}.`;
  const { winner, equals, total } = windows[step], area = kernel ** 2, back = direction === "backward";
  const head = `Window ${step + 1} of ${windows.length} `, sent = `its gradient ${step + 1}`;
  if (kind !== "max") {
    return head + (back ? `shares out ${sent}. Each of its numbers gets ${divided(step + 1, area)}${stride < kernel ? ", added to its shares of other windows" : ""}.`
      : `answers with its average, ${divided(total, area)}.`);
  }
  const top = short(numbers[winner]), where = `in row ${Math.floor(winner / size) + 1}, column ${(winner % size) + 1}`;
  const tie = equals.length > 1 ? ` Of ${equals.length} equal numbers the first wins, read row by row.` : "";
  return head + (back ? `passes ${sent} to its winner. It is the ${top} ${where}, which now holds ${gradient(values, all, step + 1)[winner]}.`
    : `answers with its largest number, ${top}. It stands ${where}.`) + tie;
}

export function facts(values) {
  const { kernel, stride, size } = values, all = pool(values), { side, windows, read } = all, count = size ** 2;
  if (!side) return [["Output size", "none"], ["Rows and columns never read", "all"]];
  const { span, tiles } = measure(values), got = gradient(values, all, windows.length), lost = count - windows.length;
  const unread = upTo(size).filter((row) => !read.has(row * size + row)), s = unread.length > 1 ? "s" : "";
  return [
    ["Output size", `(${size} − ${kernel})/${stride} + 1 ${(100 * span) % stride ? "≈" : "="} ${short(span / stride + 1)}${tiles ? "" : ", rounded down"}: ${side} × ${side}`],
    ["Activations discarded", `${lost} of ${count}, ${short((100 * lost) / count)} %`],
    ["Numbers with a say in the output", `${got.filter(Boolean).length} of ${count}`],
    ["Overlapping windows", side > 1 && stride < kernel ? "yes, S < F" : "no"],
    ["Rows and columns never read", unread.length ? `row${s} and column${s} ${unread.map((i) => i + 1).join(", ")}: ${count - read.size} of ${count} numbers` : "none"],
    ["Output", lines(windows.map((w) => w.answer), side)],
    ["Gradient of the input", lines(got, size)],
  ];
}

// --- the widget ------------------------------------------------------------------------------------------

const WORDS = { under: "in the window", won: "the winner ★", tie: "as large, but later", lost: "never read", on: "this window" };

export function mount(root, store) {
  const answer = html("output", { class: "verdict" }), results = html("div", { class: "results" });
  const steps = player(store, "step", { count: () => pool(store.values()).windows.length, words: (step) => `Window ${step + 1}`, pace: 1100 });
  const edit = (index, number) => {
    const { size, cells } = store.values(), place = Math.floor(index / size) * WIDE + (index % size);
    store.set({ cells: upTo(WIDE * WIDE).map((i) => (i === place ? number : cells[i] ?? 0)) });
  };
  const input = grid("Input", { kind: "edit", act: edit, limits: spec.settings.find(({ name }) => name === "cells") });
  const output = grid("Output", { kind: "pick", act: (step) => store.set({ step }) });
  const [left, right] = [input, output].map(({ node }) => html("div", {}, html("p", { class: "legend" }), node));
  const key = html("div", {});

  const show = (table, side, values, marks, notes) => table.show({
    rows: side, columns: side, values, marks, notes, tags: marks.map((mark, i) => [WORDS[mark], notes.length && `gradient ${notes[i]}`].filter(Boolean).join(", ")),
  });
  const update = () => {
    const values = store.values(), { size } = values, max = values.kind === "max", back = values.direction === "backward";
    const all = pool(values), { side, windows, numbers, read, step } = all, now = windows[step];
    answer.setAttribute("aria-live", steps.playing() ? "off" : "polite");
    tell(answer, verdict(values), !now);
    steps.node.hidden = right.hidden = !now;
    steps.refresh();
    const mark = (place) => (!read.has(place) ? "lost" : !now.places.includes(place) ? "" : !max ? "under"
      : place === now.winner ? "won" : now.equals.includes(place) ? "tie" : "under");
    const marks = upTo(size * size).map(mark), done = (i) => back || i <= step;
    show(input, size, numbers.map(short), marks, back ? gradient(values, all, step + 1).map(short) : []);
    show(output, side, windows.map((w, i) => (done(i) ? short(w.answer) : "")), windows.map((_, i) => (i === step ? "on" : done(i) ? "" : "empty")), back ? windows.map((_, i) => i + 1) : []);
    left.firstChild.textContent = `Input, ${size} × ${size}: ${back ? "its gradient so far below" : "type your own numbers"}`;
    right.firstChild.textContent = `Output, ${side} × ${side}${back ? ": gradients 1, 2, 3, …" : ""}`;
    key.replaceChildren(legend(...Object.entries(WORDS).filter(([mark]) => marks.includes(mark))));
    results.replaceChildren(table(facts(values).slice(0, 5)));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, GRID + LOOK), steps.node, html("div", { class: "said" }, answer), html("div", { class: "planes" }, left, right), key, results);
  refresh();
  return () => { steps.close(); close(); };
}

const LOOK = `
[hidden] { display: none; }
.said { min-height: 56px; }
.planes { display: flex; flex-wrap: wrap; gap: 14px 40px; margin: 14px 0 4px; }
.planes p { margin: 0 2px 4px; }
.planes td { position: relative; }
.grid input { border: 0; }
.grid.edit td { background: none; box-shadow: inset 0 0 0 1px var(--line); }
.swatch, .grid.edit td:is(.under, .won, .tie) { background: var(--pixel); box-shadow: 0 0 0 2px var(--accent); border-radius: 0; }
.swatch.won, .grid.edit td.won { background: var(--bar); color: var(--on-bar); font-weight: 700; }
td.won::after { content: "★"; position: absolute; top: 0; right: 3px; font-size: 9px; }
.swatch.tie, .tie input { outline: 2px dashed var(--accent); outline-offset: -4px; }
.swatch.lost, .grid.edit .lost { background: repeating-linear-gradient(135deg, var(--bad-fill) 0 4px, transparent 4px 8px); box-shadow: inset 0 0 0 1px var(--line); }
.results { margin-top: 14px; }
small { display: block; margin: 0 2px 2px; font-size: 12px; line-height: 17px; border-radius: 3px; background: var(--paper); color: var(--second); font-weight: 650; }
@container (max-width: 460px) { .said { min-height: 100px; } }
`;

export default homes("cnn-pooling", spec, mount);
