// A grid of numbers: shown, edited or picked cell by cell; one stop for Tab, arrow keys inside.

import { html } from "./elements.js";

const read = (text) => (text.trim() === "" ? NaN : Number(text.replace("−", "-")));

// kind "show": plain cells. "edit": each cell is a field, `act(index, number)` hears a whole number
// within `limits`. "pick": each cell is a button, `act(index)` hears the press.
// show({ rows, columns, values, marks, tags, notes, locked }) draws it: `values` are texts in row-major
// order, `marks` classes of the cells, `tags` what a screen reader hears beside the value, `notes` a
// second line of each cell (say in `tags` what it says), `locked` the cells of an "edit" that can be
// read only.
export function grid(label, { kind = "show", act, limits = {} } = {}) {
  const body = html("tbody", {});
  const node = html("table", { class: `grid ${kind}`, "aria-label": label, onkeydown: move }, body);
  let columns = 0, holds = [], current = 0, drawn = "";

  function hold(index) {
    const focus = () => { holds[current]?.setAttribute("tabindex", -1); current = index; holds[index].setAttribute("tabindex", 0); };
    if (kind === "edit") {
      const input = html("input", { type: "text", inputmode: "numeric", autocomplete: "off", onfocus: () => { focus(); input.select(); }, oninput: () => take(false), onblur: () => take(true) });
      const take = (leaving) => {
        const number = read(input.value);
        const good = Number.isInteger(number) && number >= limits.minimum && number <= limits.maximum;
        if (good && number !== read(input.dataset.good)) act(index, number);
        if (leaving) input.value = input.dataset.good;
        input.setAttribute("aria-invalid", !good && !leaving);
      };
      return input;
    }
    return kind === "pick" ? html("button", { type: "button", onfocus: focus, onclick: () => act(index) }) : null;
  }

  function move(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by === undefined || !holds.length) return;
    const next = current + by, row = (index) => Math.floor(index / columns);
    event.preventDefault();
    if (next >= 0 && next < holds.length && (Math.abs(by) > 1 || columns === 1 || row(next) === row(current))) holds[next].focus();
  }

  function show({ rows, columns: wide, values, marks = [], tags = [], notes = [], locked = [] }) {
    const shape = [rows, wide, notes.length > 0].join();
    if (drawn !== shape) {
      drawn = shape;
      columns = wide;
      current = 0;
      holds = [];
      body.replaceChildren(...Array.from({ length: rows }, (_, r) => html("tr", {}, Array.from({ length: wide }, (_, c) => {
        const held = hold(r * wide + c);
        if (held) { held.setAttribute("tabindex", holds.length ? -1 : 0); holds.push(held); }
        return html("td", {}, held ?? html("span", {}), notes.length ? html("small", { "aria-hidden": "true" }) : null);
      }))));
      node.style.setProperty("--columns", wide);
    }
    [...body.rows].flatMap((row) => [...row.cells]).forEach((cell, index) => {
      const held = holds[index], text = String(values[index] ?? ""), tag = tags[index] ? `, ${tags[index]}` : "";
      const place = `row ${Math.floor(index / wide) + 1}, column ${(index % wide) + 1}`;
      cell.className = marks[index] ?? "";
      if (notes.length) cell.lastChild.textContent = notes[index] ?? "";
      if (kind === "edit") {
        held.setAttribute("aria-label", `${label}, ${place}${tag}`);
        held.dataset.good = text;
        held.readOnly = Boolean(locked[index]);
        if (node.getRootNode().activeElement !== held || read(held.value) !== read(text)) held.value = text;
      } else {
        cell.firstChild.textContent = text;
        held?.setAttribute("aria-label", `${place}: ${text || "empty"}${tag}`);
      }
    });
  }
  return { node, show };
}

export const GRID = `
.grid { width: auto; table-layout: fixed; border-collapse: separate; border-spacing: 2px; font-size: 13px; max-width: 100%; }
.grid td { width: 44px; height: 34px; padding: 0; text-align: center; vertical-align: middle; border: 0; border-radius: 4px; background: var(--pixel); color: var(--ink); }
.grid input, .grid button { display: block; font: inherit; width: 100%; height: 34px; min-height: 0; padding: 0; text-align: center; color: inherit; background: none; border: 1px solid transparent; border-radius: 4px; }
.grid input { border-color: var(--edge); }
.grid input[aria-invalid="true"] { border-color: var(--bad-strong); box-shadow: inset 0 0 0 1px var(--bad-strong); }
.grid td.zero { background: none; box-shadow: inset 0 0 0 1px var(--edge); color: var(--soft); }
.grid td.empty { background: none; box-shadow: inset 0 0 0 1px var(--line); }
.grid td.on { background: var(--bar); color: var(--on-bar); }
@container (max-width: 460px) { .grid { font-size: 12px; } .grid td { width: 38px; } .grid input, .grid button { min-height: 34px; } }
`;
