// Settings of every kind: their text in an address, and the fields that a reader moves.

import { grouped, html } from "./elements.js";

// --- text and value ------------------------------------------------------------------------------

const within = ({ minimum, maximum }, number) => number >= minimum && number <= maximum;

// A text as a value of the setting; null if it is none.
export function parse(setting, text) {
  if (text === null || text === undefined) return null;
  const { kind = "whole" } = setting;
  if (kind === "text") return text.length <= setting.most ? text : null;
  if (kind === "switch") return { true: true, false: false }[text] ?? null;
  if (kind === "choice") return setting.options.some(([value]) => value === text) ? text : null;
  if (kind === "numbers") {
    const list = text === "" ? [] : text.split(",").map((part) => parse({ ...setting, kind: "whole" }, part));
    return list.includes(null) || list.length < setting.least || list.length > setting.most ? null : list;
  }
  const number = text.trim() === "" ? NaN : Number(text);
  return within(setting, number) && (kind === "decimal" || Number.isInteger(number)) ? number : null;
}

// The text that `parse` reads back.
export const encode = (setting, value) => (setting.kind === "text" ? encodeURIComponent(value).replace(/[.']/g, (c) => `%${c.charCodeAt().toString(16)}`) : String(value));

export function decode(setting, text) {
  try { return parse(setting, setting.kind === "text" ? decodeURIComponent(text) : text); } catch { return null; }
}

export const same = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);

// Why `text` is refused, and what to type instead.
export function refusal(setting, text) {
  const range = `a whole number from ${grouped(setting.minimum)} to ${grouped(setting.maximum)}`;
  if (text.trim() === "") return `${setting.label} is empty: type ${range}.`;
  const number = Number(text);
  if (!Number.isInteger(number)) return `${setting.label} ${text} is not a whole number: type ${range}.`;
  if (number < setting.minimum) return `${setting.label} ${text} is too small: ${setting.why}. Type ${range}.`;
  return `${setting.label} ${text} is too large for this widget: type ${range}.`;
}

// --- fields: each returns { node, refresh } --------------------------------------------------------

const caption = ({ label, symbol }) => [symbol ? `${label} ` : label, symbol ? html("i", {}, symbol) : null];

// A number field with its own − and + for fingers; the keyboard has the arrow keys. What is
// refused is explained in `notes`, and the store keeps the last good value.
function numberField(setting, store, notes) {
  const { name, label, minimum, maximum } = setting;
  const note = html("p", { id: `${name}-note` });
  notes.append(note);
  const input = html("input", {
    id: name, type: "number", min: minimum, max: maximum, step: 1, inputmode: "numeric",
    autocomplete: "off", "aria-describedby": note.id, oninput: take,
  });
  function take() {
    const value = parse(setting, input.value);
    input.setAttribute("aria-invalid", value === null);
    note.textContent = value === null
      ? `${refusal(setting, input.value)} The result still shows ${grouped(store.get(name))}.` : "";
    if (value !== null && value !== store.get(name)) store.set({ [name]: value });
  }
  const step = (by, sign, word) => html("button", {
    type: "button", tabindex: -1, "aria-label": `${label}: one ${word}`,
    onclick: () => {
      input.value = Math.min(maximum, Math.max(minimum, store.get(name) + by));
      take();
    },
  }, sign);
  const refresh = () => {
    if (parse(setting, input.value) !== store.get(name)) { input.value = store.get(name); take(); }
  };
  const node = html("div", { class: "field" },
    html("label", { for: name }, caption(setting)),
    html("div", { class: "stepper" }, step(-1, "−", "less"), input, step(1, "+", "more")));
  return { node, refresh };
}

function slider(setting, store) {
  const { name, minimum, maximum, step = 1 } = setting;
  const value = html("span", { class: "value", "aria-hidden": "true" });
  const input = html("input", {
    id: name, type: "range", min: minimum, max: maximum, step, oninput: () => store.set({ [name]: Number(input.value) }),
  });
  const refresh = () => { input.value = store.get(name); value.textContent = String(store.get(name)).replace("-", "−"); };
  return { node: html("div", { class: "field slide" }, html("label", { for: name }, caption(setting)), value, input), refresh };
}

function checkbox(setting, store) {
  const { name } = setting;
  const input = html("input", { id: name, type: "checkbox", onchange: () => store.set({ [name]: input.checked }) });
  return { node: html("label", { class: "field check" }, input, html("span", {}, caption(setting))), refresh: () => { input.checked = store.get(name); } };
}

function select(setting, store) {
  const { name, options } = setting;
  const input = html("select", { id: name, onchange: () => store.set({ [name]: input.value }) },
    options.map(([value, words]) => html("option", { value }, words)));
  return { node: html("div", { class: "field pick" }, html("label", { for: name }, caption(setting)), input), refresh: () => { input.value = store.get(name); } };
}

// The field of a setting; null where the widget itself gives the reader a hold on it.
export function field(setting, store, notes) {
  if (setting.hidden) return null;
  const { kind = "whole" } = setting;
  if (kind === "switch") return checkbox(setting, store);
  if (kind === "choice") return select(setting, store);
  return kind === "decimal" || setting.slider ? slider(setting, store) : numberField(setting, store, notes);
}
