// What every widget shares: making elements, number fields, the two stores, the frame, the two homes.

// --- elements ------------------------------------------------------------------------------------

const maker = (namespace) => (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
};
export const html = maker("http://www.w3.org/1999/xhtml");
export const svg = maker("http://www.w3.org/2000/svg");
export const math = maker("http://www.w3.org/1998/Math/MathML");

// --- numbers -------------------------------------------------------------------------------------

export const grouped = (number) => number.toLocaleString("en-US");

// A text as a whole number within the setting's limits; null if it is none.
function parse(setting, text) {
  const number = text === null || text.trim() === "" ? NaN : Number(text);
  return Number.isInteger(number) && number >= setting.minimum && number <= setting.maximum ? number : null;
}

// Why `text` is refused, and what to type instead.
export function refusal(setting, text) {
  const range = `a whole number from ${grouped(setting.minimum)} to ${grouped(setting.maximum)}`;
  if (text.trim() === "") return `${setting.label} is empty: type ${range}.`;
  const number = Number(text);
  if (!Number.isInteger(number)) return `${setting.label} ${text} is not a whole number: type ${range}.`;
  if (number < setting.minimum) return `${setting.label} ${text} is too small: ${setting.why}. Type ${range}.`;
  return `${setting.label} ${text} is too large for this calculator: type ${range}.`;
}

// --- stores: where a widget's state lives --------------------------------------------------------
// get(name) · set({name: value, …}) · reset() · subscribe(listener) → stop · link() → address or null

function listeners() {
  const all = new Set();
  return {
    tell: () => all.forEach((listener) => listener()),
    subscribe: (listener) => { all.add(listener); return () => all.delete(listener); },
  };
}

// In a page: the URL fragment, as #name.setting=value&…, beside other widgets' entries.
export function pageStore(name, initial, settings) {
  const { tell, subscribe } = listeners();
  const entries = () => location.hash.slice(1).split("&").filter((entry) => entry.includes("="));
  const prefix = `${encodeURIComponent(name)}.`;
  const own = (entry) => entry.startsWith(prefix) && /^\w+=/.test(entry.slice(prefix.length));
  const encode = () => settings.map((s) => `${prefix}${s.name}=${state[s.name]}`);
  const read = () => {
    const found = {};
    for (const entry of entries().filter(own)) {
      const [key, text] = entry.slice(prefix.length).split("=");
      const setting = settings.find((s) => s.name === key);
      const value = setting ? parse(setting, text) : null;
      if (value !== null) found[key] = value;
    }
    return found;
  };
  const write = (mine) => {
    const all = [...entries().filter((entry) => !own(entry)), ...mine].join("&");
    // Unlike location.hash this adds no step to the browser's history and moves nothing.
    history.replaceState(history.state, "", all ? `#${all}` : location.pathname + location.search);
  };
  const change = (next, mine) => { state = next; write(mine()); tell(); };
  const arrive = () => {
    const found = read();
    if (Object.keys(found).length) { state = { ...state, ...found }; tell(); }
  };
  let state = { ...initial, ...read() };
  addEventListener("hashchange", arrive);
  return {
    subscribe,
    get: (key) => state[key],
    set: (values) => change({ ...state, ...values }, encode),
    reset: () => change({ ...initial }, () => []),
    link: () => `${location.href.split("#")[0]}#${encode().join("&")}`,
    isTarget: () => entries().findIndex(own) === 0,
    close: () => removeEventListener("hashchange", arrive),
  };
}

// In a notebook: the synced traits of the Python object.
export function modelStore(model, settings) {
  const { tell, subscribe } = listeners();
  let quiet = false;
  const hear = () => { if (!quiet) tell(); };
  const set = (values) => {
    quiet = true;
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    quiet = false;
    model.save_changes();
    tell();
  };
  for (const s of settings) model.on(`change:${s.name}`, hear);
  return {
    subscribe,
    set,
    get: (key) => model.get(key),
    reset: () => set(model.get("_initial")),
    link: () => null,
    close: () => { for (const s of settings) model.off(`change:${s.name}`, hear); },
  };
}

// --- light and dark ------------------------------------------------------------------------------

// The book's theme, JupyterLab, VS Code and Colab each say it in another attribute.
function isDark() {
  const page = document.documentElement, { body } = document;
  const told = page.dataset.theme ?? body.dataset.jpThemeLight ?? body.dataset.vscodeThemeKind ?? page.getAttribute("theme");
  return told ? /dark|^false$|^vscode-high-contrast$/.test(told) : matchMedia("(prefers-color-scheme: dark)").matches;
}

function followMode(node) {
  const apply = () => { node.dataset.mode = isDark() ? "dark" : "light"; };
  const observer = new MutationObserver(apply);
  const attributeFilter = ["data-theme", "data-jp-theme-light", "data-vscode-theme-kind", "theme"];
  for (const target of [document.documentElement, document.body]) observer.observe(target, { attributes: true, attributeFilter });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", apply);
  apply();
  return () => { observer.disconnect(); system.removeEventListener("change", apply); };
}

// --- the frame: title, examples, fields, reset, copy link ------------------------------------------

// A number field with its own − and + for fingers; the keyboard has the arrow keys. What is
// refused is explained in `notes`, and the store keeps the last good value.
function numberField(setting, store, notes) {
  const { name, label, symbol, minimum, maximum } = setting;
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
    html("label", { for: name }, `${label} `, html("i", {}, symbol)),
    html("div", { class: "stepper" }, step(-1, "−", "less"), input, step(1, "+", "more")));
  return { node, refresh };
}

function copyButton(store, notes) {
  const said = html("p", {});
  notes.append(said);
  const copy = async () => {
    const link = store.link();
    try {
      await navigator.clipboard.writeText(link);
      said.textContent = "Link copied: it opens this page with these settings.";
    } catch {
      const box = html("input", { readonly: true, "aria-label": "Link to these settings", value: link });
      said.replaceChildren("Copy this link: ", box);
      box.select();
    }
    setTimeout(() => said.replaceChildren(), 8000);
  };
  return html("button", { type: "button", onclick: copy }, "Copy link");
}

// Fill `root` with everything that comes before a widget's result. `update` runs at every change.
export function frame(root, spec, store, update) {
  const notes = html("div", { class: "notes", "aria-live": "polite" });
  const fields = spec.settings.map((setting) => ({ group: setting.group, ...numberField(setting, store, notes) }));
  const groups = [...new Set(fields.map((field) => field.group))].map((group) =>
    html("fieldset", {}, html("legend", {}, group), html("div", { class: "fields" }, fields.filter((f) => f.group === group).map((f) => f.node))));
  const presets = spec.presets.map(({ label, values }) =>
    ({ values, node: html("button", { type: "button", onclick: () => store.set(values) }, label) }));
  const body = html("div", { class: "body" });
  const widget = html("div", { class: "widget", role: "group", "aria-label": spec.title },
    html("div", { class: "head" },
      html("span", { class: "title" }, spec.title),
      html("span", { class: "tools" },
        html("button", { type: "button", onclick: () => store.reset() }, "Reset"),
        store.link() === null ? null : copyButton(store, notes))),
    html("div", { class: "choices presets", role: "group", "aria-label": "Examples" }, presets.map((preset) => preset.node)),
    html("div", { class: "controls" }, groups), notes, body);
  root.replaceChildren(html("style", {}, STYLE), widget);
  const unfollow = followMode(widget);
  const refresh = () => {
    fields.forEach((field) => field.refresh());
    for (const { values, node } of presets) {
      const current = Object.entries(values).every(([name, value]) => store.get(name) === value);
      if (current) node.setAttribute("aria-current", "true"); else node.removeAttribute("aria-current");
    }
    update();
  };
  const unsubscribe = store.subscribe(refresh);
  return { body, refresh, close: () => { unfollow(); unsubscribe(); } };
}

// Change what a live region says, and only then: the same words again would be read out again.
export function say(node, ...content) {
  const next = html("div", {}, ...content);
  if (next.textContent !== node.textContent) node.replaceChildren(...next.childNodes);
}

export function table(rows) {
  return html("table", {}, html("tbody", {}, rows.map(([label, value]) =>
    html("tr", {}, html("th", { scope: "row" }, label), html("td", {}, value)))));
}

// --- the two homes -------------------------------------------------------------------------------

// mount(root, store) fills a shadow root and returns what undoes it.
// `render` is anywidget's; `define` makes the page's custom element.
export function homes(tag, spec, mount) {
  const { settings } = spec;
  const live = (root, store) => {
    const unmount = mount(root, store);
    return () => { unmount(); store.close(); };
  };
  const render = ({ model, el }) => {
    // JupyterLab would take letters for its own shortcuts: b inserts a cell.
    const host = html("div", { "data-lm-suppress-shortcuts": "true" });
    el.append(host);
    return live(host.attachShadow({ mode: "open" }), modelStore(model, settings));
  };
  const define = () => customElements.get(tag) || customElements.define(tag, class extends HTMLElement {
    connectedCallback() {
      // Without a name of its own, the first one that is free: elements connect in the page's order.
      const free = (n) => { const name = tag.replace("cnn-", "") + (n > 1 ? `-${n}` : ""); return document.querySelector(`${tag}[name="${name}"]`) ? free(n + 1) : name; };
      if (!this.getAttribute("name")) this.setAttribute("name", free(1));
      const name = this.getAttribute("name");
      const initial = Object.fromEntries(settings.map((s) => [s.name, parse(s, this.getAttribute(s.name)) ?? s.default]));
      const store = pageStore(name, initial, settings);
      this.unmount = live(this.shadowRoot ?? this.attachShadow({ mode: "open" }), store);
      const [visit] = performance.getEntriesByType("navigation");
      if (visit?.type === "navigate" && store.isTarget()) this.scrollIntoView();
    }
    disconnectedCallback() { this.unmount(); }
  });
  return { render, define };
}

// --- one look for all ----------------------------------------------------------------------------

const STYLE = `
:host { display: block; margin: 1.4em 0; scroll-margin-top: 5rem; }
.widget {
  --paper: #ffffff; --panel: #f5f7fa; --ink: #1f2328; --soft: #545d69; --line: #d3d9e1; --edge: #7b8694;
  --accent: #0b5cad; --bar: #0b5cad; --on-bar: #ffffff; --pixel: #dbe9f8;
  --good: #1a6b33; --bad: #a33a12; --bad-fill: #fbd9cc; --bad-strong: #b3421a;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  font-family: inherit; font-size: 15px; font-weight: 400; line-height: 1.5;
  font-variant-numeric: tabular-nums; color-scheme: light; container-type: inline-size; position: relative; overflow: hidden; text-align: left;
}
.widget[data-mode="dark"] {
  --paper: #14181e; --panel: #1b212a; --ink: #e6e9ed; --soft: #a9b3bf; --line: #363f4b; --edge: #7f8b99;
  --accent: #7cb8f5; --bar: #7cb8f5; --on-bar: #0c1926; --pixel: #23384f;
  --good: #7fd197; --bad: #ffab8a; --bad-fill: #5a2a1a; --bad-strong: #ffab8a;
  color-scheme: dark;
}
*, *::before { box-sizing: border-box; }
p { margin: 0; }
.head { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; padding: 12px 18px 0; }
.title { font-weight: 650; font-size: 16px; }
.tools, .choices { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.presets { padding: 10px 18px 14px; }
button {
  font: inherit; font-size: 14px; min-height: 34px; padding: 4px 12px; cursor: pointer; color: var(--ink);
  background: var(--paper); border: 1px solid var(--line); border-radius: 7px;
}
button:hover { border-color: var(--accent); color: var(--accent); }
button[aria-current] { border-color: var(--accent); color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.tools button { border-color: transparent; color: var(--accent); padding: 4px 8px; }
.tools button:hover { border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 20px; padding: 12px 18px 14px; background: var(--panel); border-block: 1px solid var(--line); }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; font-size: 13px; color: var(--soft); margin-bottom: 4px; }
.fields { display: flex; flex-wrap: wrap; gap: 8px; }
.field { width: 84px; }
label { display: block; font-size: 14px; font-weight: 550; }
label i { line-height: 0; font-family: "Course Math", "STIX Two Text", Cambria, serif; font-weight: 400; font-size: 1.08em; color: var(--soft); margin-left: .1em; }
.stepper { display: flex; border: 1px solid var(--edge); border-radius: 7px; background: var(--paper); }
.stepper:focus-within { outline: 3px solid var(--accent); outline-offset: 1px; }
.stepper input {
  font: inherit; font-size: 14px; flex: 1; min-width: 0; width: 0; height: 36px; padding: 0; text-align: center; color: var(--ink);
  background: none; border: 0; outline: 0; appearance: textfield; -moz-appearance: textfield;
}
.stepper input::-webkit-inner-spin-button, .stepper input::-webkit-outer-spin-button { appearance: none; margin: 0; }
.stepper:has([aria-invalid="true"]) { border-color: var(--bad-strong); box-shadow: 0 0 0 1px var(--bad-strong); }
.stepper button { flex: none; width: 24px; padding: 0; border: 0; border-radius: 7px; background: none; color: var(--soft); font-size: 17px; }
.notes { padding: 0 18px; color: var(--bad); font-size: 14px; background: var(--panel); }
.notes p:not(:empty) { padding: 8px 0; }
.notes input { font: inherit; width: min(100%, 30em); min-height: 34px; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 5px; }
.body { padding: 14px 18px 16px; }
math { font-family: "Course Math", "STIX Two Math", "Cambria Math", math, serif; font-size: 1.18em; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: 400; color: var(--soft); width: 42%; padding-right: 14px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (max-width: 460px) {
  .head, .presets, .controls, .body, .notes { padding-left: 12px; padding-right: 12px; }
  fieldset, .fields { width: 100%; }
  .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 12px; }
  .field { width: auto; }
  .head { gap: 4px; }
  .title { font-size: 15px; }
  button { padding: 4px 9px; }
  .tools { gap: 0; margin-left: -9px; }
  .stepper button { width: 42px; }
  .stepper input { font-size: 16px; }
  .stepper input, button { min-height: 42px; }
}
@media (prefers-reduced-motion: no-preference) { button { transition: color .12s, border-color .12s; } }
@media print {
  .widget, .widget[data-mode="dark"] {
    --paper: #fff; --panel: #fff; --ink: #000; --soft: #333; --line: #999; --edge: #666; --accent: #0b5cad; --bar: #0b5cad;
    --on-bar: #fff; --pixel: #dbe9f8; --good: #1a6b33; --bad: #a33a12; --bad-fill: #fbd9cc; --bad-strong: #b3421a;
    color-scheme: light; break-inside: avoid; print-color-adjust: exact; -webkit-print-color-adjust: exact;
  }
  .tools, .presets, .stepper button, .notes { display: none; }
}
`;
