// What every widget shares: the two stores, light and dark, the frame, the two homes.

import { html } from "./elements.js";
import { decode, encode, field, parse, same } from "./fields.js";
import { STYLE } from "./look.js";

// --- stores: where a widget's state lives --------------------------------------------------------
// get(name) · values() · set({name: value, …}) · reset() · subscribe(listener) → stop
// link() → address or null · data() → what Python's `data` precomputed
// live() → what Python says now in its trait `_live`; null in a page

function listeners() {
  const all = new Set();
  return {
    tell: () => all.forEach((listener) => listener()),
    subscribe: (listener) => { all.add(listener); return () => all.delete(listener); },
  };
}

// In a page: the URL fragment, as #name.setting=value&…, beside other widgets' entries.
export function pageStore(name, initial, settings, data = {}) {
  const { tell, subscribe } = listeners();
  const entries = () => location.hash.slice(1).split("&").filter((entry) => entry.includes("="));
  const prefix = `${encodeURIComponent(name)}.`;
  const own = (entry) => entry.startsWith(prefix) && /^\w+=/.test(entry.slice(prefix.length));
  const asEntries = () => settings.map((s) => `${prefix}${s.name}=${encode(s, state[s.name])}`);
  const read = () => {
    const found = {};
    for (const entry of entries().filter(own)) {
      const [key, text] = entry.slice(prefix.length).split("=");
      const setting = settings.find((s) => s.name === key);
      const value = setting ? decode(setting, text) : null;
      if (value !== null) found[key] = value;
    }
    return found;
  };
  const write = (mine) => {
    const all = [...entries().filter((entry) => !own(entry)), ...mine].join("&");
    // Unlike location.hash this adds no step to the browser's history and moves nothing.
    history.replaceState(history.state, "", all ? `#${all}` : location.pathname + location.search);
  };
  // A slider changes faster than browsers let an address change: at once, then at most so often.
  let written = -Infinity, waiting = null;
  const flush = () => { waiting = null; written = performance.now(); write(mine()); };
  const change = (next, how) => {
    state = next;
    mine = how;
    if (waiting === null) {
      const wait = written + 250 - performance.now();
      if (wait <= 0) flush(); else waiting = setTimeout(flush, wait);
    }
    tell();
  };
  const arrive = () => {
    const found = read();
    if (Object.keys(found).length) { state = { ...state, ...found }; tell(); }
  };
  let state = { ...initial, ...read() }, mine = asEntries;
  addEventListener("hashchange", arrive);
  return {
    subscribe,
    get: (key) => state[key],
    values: () => ({ ...state }),
    data: () => data,
    live: () => null,
    set: (values) => change({ ...state, ...values }, asEntries),
    reset: () => change({ ...initial }, () => []),
    link: () => `${location.href.split("#")[0]}#${asEntries().join("&")}`,
    isTarget: () => entries().findIndex(own) === 0,
    close: () => { clearTimeout(waiting); removeEventListener("hashchange", arrive); },
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
  const heard = [...settings.map((s) => `change:${s.name}`), "change:_data", "change:_live"];
  for (const name of heard) model.on(name, hear);
  return {
    subscribe,
    set,
    get: (key) => model.get(key),
    values: () => Object.fromEntries(settings.map((s) => [s.name, model.get(s.name)])),
    data: () => model.get("_data"),
    live: () => model.get("_live"),
    reset: () => set(model.get("_initial")),
    link: () => null,
    close: () => { for (const name of heard) model.off(name, hear); },
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
  const fields = spec.settings.map((setting) => ({ group: setting.group, ...field(setting, store, notes) })).filter(({ node }) => node);
  const groups = [...new Set(fields.map((field) => field.group))].map((group) =>
    html("fieldset", {}, html("legend", {}, group), html("div", { class: "fields" }, fields.filter((f) => f.group === group).map((f) => f.node))));
  const presets = spec.presets.map(({ label, values }) =>
    ({ values, node: html("button", { type: "button", onclick: () => store.set(values) }, label) }));
  const walked = spec.settings.filter((setting) => setting.walked).map((setting) => setting.name);
  const body = html("div", { class: "body" });
  const widget = html("div", { class: "widget", role: "group", "aria-label": spec.title },
    html("div", { class: "head" },
      html("span", { class: "title" }, spec.title),
      html("span", { class: "tools" },
        html("button", { type: "button", onclick: () => store.reset() }, "Reset"),
        store.link() === null ? null : copyButton(store, notes))),
    html("div", { class: "choices presets", role: "group", "aria-label": "Examples" }, presets.map((preset) => preset.node)),
    groups.length ? html("div", { class: "controls" }, groups) : null, notes, body);
  root.replaceChildren(html("style", {}, STYLE), widget);
  const unfollow = followMode(widget);
  const refresh = () => {
    fields.forEach((field) => field.refresh());
    for (const { values, node } of presets) {
      // An example stays the current one while its steps are walked through.
      const current = Object.entries(values).every(([name, value]) => walked.includes(name) || same(store.get(name), value));
      if (current) node.setAttribute("aria-current", "true"); else node.removeAttribute("aria-current");
    }
    update();
  };
  const unsubscribe = store.subscribe(refresh);
  return { body, refresh, close: () => { unfollow(); unsubscribe(); } };
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
      const data = JSON.parse(this.querySelector('script[type="application/json"]')?.textContent ?? "{}");
      const store = pageStore(name, initial, settings, data);
      this.unmount = live(this.shadowRoot ?? this.attachShadow({ mode: "open" }), store);
      const [visit] = performance.getEntriesByType("navigation");
      if (visit?.type === "navigate" && store.isTarget()) this.scrollIntoView();
    }
    disconnectedCallback() { this.unmount(); }
  });
  return { render, define };
}
