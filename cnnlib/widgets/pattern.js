// Pattern builder: what a layer pattern expands to, what it costs, and what the linter says.
// cnnlib has answered beforehand (pattern_data.json, packed by tools/pattern_data.py); a typed
// diagram is answered by the Python behind a notebook. Nothing about networks is computed here.

import { fixed, grouped, html, svg, table, tell } from "./elements.js";
import { frame, homes } from "./shared.js";
import spec from "./pattern.json" with { type: "json" };

const CONTROLS = spec.settings.filter(({ kind }) => kind !== "text");

// --- answers: { size, rows, findings, error }, as cnnlib/widgets/pattern.py explains --------------

export function diagram({ image, n, m, k, pool, norm, dropout }) {
  const block = (...layers) => layers.filter(Boolean).join(" => ");
  const active = (first) => block(first, norm === "before" && "BN", "RELU", norm === "after" && "BN");
  return `INPUT(${image.replaceAll("x", ", ")}) => [${block(`[${active("CONV(32)")}] * ${n}`, pool && "POOL")}] * ${m} => [${block(active("FC(256)"), dropout && "DO")}] * ${k} => FC(10)`;
}

// The place of the controls' setting in `nets`: the last one counts fastest.
function placeOf(values) {
  return CONTROLS.reduce((sum, { name, kind, options, maximum }) => (kind === "choice"
    ? sum * options.length + options.findIndex(([option]) => option === values[name])
    : sum * (kind === "switch" ? 2 : maximum + 1) + Number(values[name])), 0);
}

function unpack(values, { nets, parts, rows, lists, findings, errors }) {
  const [body, head, list] = nets.slice(3 * placeOf(values), 3 * placeOf(values) + 3);
  const found = lists[list].map((place) => findings[place]);
  if (body >= 0) {
    return { size: values.image.replaceAll("x", "×"), rows: [...parts[body], ...parts[head]].map((place) => rows[place]), findings: found, error: [] };
  }
  return { size: "", rows: [], findings: found, error: [errors[-1 - body], `${diagram(values)}\n${" ".repeat(head)}^`] };
}

const isTyped = (values, live) => values.text !== "" && live?.text === values.text;
export const answerTo = (values, data, live) => (isTyped(values, live) ? live : unpack(values, data));

// --- sentences; pattern.py writes the same ones, and a test compares them --------------------------

const kindOf = ([text]) => text.split(/[ (]/)[0];
const volumeOf = ({ rows }) => rows.findLast((row) => row[4]);
const sideOf = ({ size }) => {
  const [, height, width] = size.split("×");
  return height === width ? height : `${height}×${width}`;
};
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// The layer's name as in a summary: its kind and its number among its kind.
function named(rows, place) {
  const kind = kindOf(rows[place]);
  return kind.toLowerCase() + rows.slice(0, place + 1).filter((row) => kindOf(row) === kind).length;
}

export function verdict(values, data, live) {
  const answer = answerTo(values, data, live), { size, rows, findings, error } = answer;
  if (error.length) return `This cannot be built. ${findings.find(([, severity]) => severity === "error")?.[2] ?? error[0]}`;
  const counts = rows.map((row) => row[2]), kinds = rows.map(kindOf), total = sum(counts), volume = volumeOf(answer);
  let said = `${grouped(total)} parameters.`;
  if (total) {
    const place = counts.indexOf(Math.max(...counts)), before = place ? rows[place - 1][1] : size;
    const why = kinds[place] === "FC" && before.includes("×") ? `, as it reads a volume of ${before}` : "";
    const share = fixed((100 * counts[place]) / total, 0), part = counts[place] === total ? "all" : share === "100" ? "nearly all" : `${share} %`;
    said += ` ${named(rows, place)} has ${part} of them${why}.`;
  }
  if (volume) return said + (kinds.includes("CONV") ? ` A neuron of the last volume sees ${volume[4]} pixels a side; the image has ${sideOf(answer)}.` : " Without a CONV, pooling only makes the image smaller.");
  const depth = kinds.filter((kind) => kind === "FC").length;
  return depth ? `${said} No window slides over the image: this is ${depth === 1 ? "a linear classifier" : "a fully connected network"}.` : said;
}

function results(answer) {
  if (answer.error.length) return [["Not built", answer.error[0]]];
  const { rows } = answer, volume = volumeOf(answer), layers = {}, params = {};
  for (const row of rows) {
    const kind = kindOf(row);
    layers[kind] = (layers[kind] ?? 0) + 1;
    params[kind] = (params[kind] ?? 0) + row[2];
  }
  const parts = Object.entries(params).filter(([, count]) => count).map(([kind, count]) => `${kind} ${grouped(count)}`).join(", ");
  return [
    ["CONV and FC layers", `${layers.CONV ?? 0} + ${layers.FC ?? 0}`],
    ["Parameters", grouped(sum(Object.values(params))) + (parts && `: ${parts}`)],
    ["Multiply-accumulates for one image", grouped(sum(rows.map((row) => row[3])))],
    ["Last volume", volume ? volume[1] : "none"],
    ["Its receptive field", volume ? `${volume[4]} pixels a side (image: ${sideOf(answer)})` : "none"],
  ];
}

export function facts(values, data, live) {
  const answer = answerTo(values, data, live);
  return [
    ["Diagram", isTyped(values, live) ? values.text : diagram(values)],
    ...results(answer),
    ["Linter", answer.findings.map(([rule, severity]) => `${rule} (${severity})`).join(", ") || "nothing to report"],
  ];
}

// --- what is seen -----------------------------------------------------------------------------------

// The layers in a row; a new line after each POOL and before the first FC.
function expanded({ size, rows }) {
  const texts = [`INPUT(${size.replaceAll("×", ", ")})`, ...rows.map(([text]) => text)];
  const first = texts.findIndex((text) => text.startsWith("FC")), lines = [[]];
  texts.forEach((text, i) => {
    if (i && (texts[i - 1].startsWith("POOL") || i === first)) lines.push([]);
    lines.at(-1).push(html("span", { class: "step" }, i ? "=> " : "", html("span", { class: `layer ${text.split("(")[0]}` }, text)), " ");
  });
  return html("div", { class: "layers" }, lines.map((line) => html("p", {}, line)));
}

// The volumes to scale, their depth by its logarithm; a list of numbers is a bar.
function volumes({ size, rows }) {
  const sizes = [size, ...rows.map((row) => row[1])].filter((each, i, all) => each !== all[i - 1]);
  const whole = size.split("×")[1];
  return html("ul", { class: "volumes", "aria-label": "Volumes" }, sizes.map((each) => {
    const [depth, height] = each.split("×"), log = 2 + 2 * Math.log2(depth);
    const side = height ? Math.max(3, (60 * height) / whole) : 4 * log, wide = height ? side : 7, slant = height ? log : 0;
    const draw = (d, cls) => svg("path", { d: `M.5 ${slant + 0.5}${d}z`, class: cls });
    return html("li", {}, svg("svg", { width: wide + slant + 1, height: side + slant + 1, "aria-hidden": "true" },
      draw(`l${slant} ${-slant}h${wide}v${side}l${-slant} ${slant}h${-wide}`, "back"), draw(`v${side}h${wide}v${-side}`, height ? "" : "FC")), each);
  }));
}

function shapeTable({ size, rows }) {
  const most = Math.max(1, ...rows.map((row) => row[2]));
  const line = (name, [text, shape, params, , field, depth]) => html("tr", {},
    html("th", { scope: "row" }, html("span", { class: "name" }, name), "│ ".repeat(depth) + text),
    html("td", {}, shape), html("td", { style: `--share: ${(100 * params) / most}%` }, params ? grouped(params) : ""), html("td", {}, field));
  return html("div", { class: "scroll", role: "group", tabindex: 0, "aria-label": "Shapes and parameters" }, html("table", {},
    html("thead", {}, html("tr", {}, ["Layer", "Output", "Parameters", "Field"].map((head) => html("th", { scope: "col" }, head)))),
    html("tbody", {}, line("", ["INPUT", size, 0, 0, "", 0]), rows.map((row, i) => line(named(rows, i), row)))));
}

// In the book a rule's name leads to its row of the ledger, which the navigation knows.
function finding([rule, severity, message, why, rewrite]) {
  const ledger = document.querySelector('a[href$="claims.html"]');
  return html("li", { class: severity }, `${severity[0].toUpperCase()}${severity.slice(1)} `,
    ledger ? html("a", { href: `${ledger.href}#${rule}` }, rule) : rule,
    html("strong", {}, ` ${message}`), ` ${why} Instead: `, html("code", {}, rewrite));
}

// A field for any diagram, where there is a Python to read it. Returns { node, refresh, close }.
function typing(store) {
  let waiting = null;
  const stop = () => { clearTimeout(waiting); waiting = null; };
  const send = () => { stop(); store.set({ text: area.value }); };
  const area = html("textarea", {
    id: "text", rows: 3, maxlength: spec.settings.at(-1).most, spellcheck: "false", "aria-describedby": "typed",
    oninput: () => { stop(); waiting = setTimeout(send, 300); }, onblur: () => { if (waiting) send(); refresh(); },
  });
  const note = html("p", { id: "typed" });
  const refresh = () => {
    const values = store.values(), wanted = values.text || diagram(values);
    // What is being typed is left alone, an emptied field too.
    if (!waiting && area.value !== wanted && (values.text || !area.matches(":focus"))) area.value = wanted;
    note.textContent = values.text && !isTyped(values, store.live()) ? "Python is reading the diagram …"
      : "Type any diagram. N, M, K and POOL? are taken from above; an empty field gives the pattern back.";
  };
  return { node: html("div", { class: "typing" }, html("label", { for: "text" }, "Diagram"), area, note), refresh, close: stop };
}

// --- the widget ----------------------------------------------------------------------------------

function mount(root, store) {
  const answer = html("output", { class: "verdict" }), seen = html("div", {}), numbers = html("div", { class: "results" });
  const linter = html("p", { class: "linter" }), findings = html("ul", { class: "findings" });
  const typed = store.link() === null ? typing(store) : null;

  const update = () => {
    typed?.refresh();
    const values = store.values(), live = store.live();
    if (typed && values.text && !isTyped(values, live)) return; // what was said last stays until Python has answered
    const data = store.data(), now = answerTo(values, data, live), found = now.findings.length;
    tell(answer, verdict(values, data, live), now.error.length > 0);
    if (now.error.length) {
      const place = html("pre", { tabindex: 0 }, now.error[1]), [line, caret] = now.error[1].split("\n");
      seen.replaceChildren(place);
      place.scrollLeft = (caret.length / line.length) * place.scrollWidth - place.clientWidth / 2;
    } else {
      const chain = now.rows.every((row) => row[5] === 0);
      seen.replaceChildren(...(chain ? [expanded(now), volumes(now)] : []), shapeTable(now));
    }
    numbers.replaceChildren(table(facts(values, data, live).slice(1, -1)));
    linter.textContent = found ? `The linter has ${found === 1 ? "one finding" : `${found} findings`}:` : now.error.length ? "" : "The linter has nothing to report.";
    findings.replaceChildren(...now.findings.map(finding));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, LOOK), typed?.node ?? "", answer, seen, numbers, linter, findings);
  refresh();
  return () => { typed?.close(); close(); };
}

const LOOK = `
.layers, pre, code, textarea { font: 13px/2 ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.layers { margin-top: 14px; }
.layer { padding: 2px 6px; border: 1px solid var(--line); border-radius: 5px; }
.step { white-space: nowrap; }
.CONV { background: var(--pixel); border-color: var(--accent); }
.FC { background: var(--second-fill); border-color: var(--second); }
.POOL { border-color: var(--third); color: var(--third); }
pre { margin: 12px 0; padding: 6px 12px; overflow-x: auto; background: var(--panel); line-height: 1.4; }
.volumes { display: flex; flex-wrap: wrap; align-items: end; gap: 12px 18px; margin: 16px 0; padding: 0; font-size: 12px; }
.volumes li { display: grid; justify-items: center; gap: 3px; }
path { fill: var(--pixel); stroke: var(--accent); }
path.back { fill: var(--panel); }
path.FC { fill: var(--second-fill); stroke: var(--second); }
.scroll { max-height: 452px; overflow: auto; margin: 14px 0; border: 1px solid var(--line); border-radius: 7px; }
.scroll th, .scroll td { padding: 2px 12px; width: auto; }
.scroll thead th { position: sticky; top: 0; background: var(--panel); }
.scroll tbody th { color: var(--ink); }
.scroll td, th + th { text-align: right; }
td:nth-child(3) { background: linear-gradient(var(--bar), var(--bar)) no-repeat right bottom / var(--share) 3px; }
.name { display: inline-block; min-width: 4em; margin-right: .4em; color: var(--soft); }
code { line-height: 1; }
.linter { margin-top: 14px; }
.findings { list-style: none; margin: 6px 0 0; padding: 0; font-size: 14px; }
.findings li { margin-bottom: 8px; padding-left: 10px; border-left: 3px solid var(--edge); }
.findings .error, .findings .warning { border-color: var(--bad-strong); }
a { color: var(--accent); }
textarea { width: 100%; padding: 4px 10px; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 7px; line-height: 1.6; }
.typing p { font-size: 13px; color: var(--soft); margin-bottom: 14px; }
@container (max-width: 460px) { .scroll table { font-size: 13px; } .scroll th, .scroll td { padding: 2px 6px; } .name { display: none; } textarea { font-size: 16px; } }
@media print { .scroll { max-height: none; } .typing { display: none; } }
`;

export default homes("cnn-pattern", spec, mount);
