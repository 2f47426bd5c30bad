// Receptive-field explorer: what one output neuron sees, and how much each pixel of it counts.

import { grouped, html, legend, svg, table, tell } from "./elements.js";
import { same } from "./fields.js";
import { measure, outputSize, receptiveField } from "./shapes.js";
import { frame, homes } from "./shared.js";
import spec from "./receptive_field.json" with { type: "json" };

// --- arithmetic and sentences; receptive_field.py has the same, and a test compares them ------------

const upTo = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// The layers that are asked for, and the rows of neurons of those that fit, from the input on: the
// layer that makes the row, its size, what a neuron of it sees in the input (`field`), what the chosen
// neuron sees of the row (`first` to `last`, padding included), and the paths from each to the chosen.
export function trace({ size, depth, kernels, strides, paddings, dilations, neuron }) {
  const layers = upTo(depth, (i) => ({ kernel: kernels[i] ?? 3, stride: strides[i] ?? 1, padding: paddings[i] ?? 1, dilation: dilations[i] ?? 1 }));
  const rows = [{ size, field: receptiveField([]) }];
  let misfit = null;
  for (const layer of layers) {
    const axis = { size: rows.at(-1).size, ...layer }, m = measure(axis);
    if (!m.fits) { misfit = m; break; }
    rows.push({ layer, size: outputSize(axis, "floor"), field: receptiveField(layers.slice(0, rows.length)) });
  }
  const chosen = Math.min(neuron, rows.at(-1).size - 1);
  let above = null;
  for (let i = rows.length - 1; i >= 0; i -= 1) {
    const row = rows[i], seen = receptiveField(layers.slice(i, rows.length - 1));
    row.first = seen.start + chosen * seen.jump - (seen.size - 1) / 2;
    row.last = row.first + seen.size - 1;
    row.paths = upTo(row.size, (n) => Number(!above && n === chosen));
    above?.paths.forEach((count, n) => upTo(above.layer.kernel, (tap) => {
      const place = n * above.layer.stride - above.layer.padding + tap * above.layer.dilation;
      if (place in row.paths) row.paths[place] += count;
    }));
    above = row;
  }
  return { layers, rows, misfit, chosen };
}

// The shortest run of pixels that holds so many percent of all: { from, width }.
export function within(shares, percent) {
  let best = { width: Infinity }, from = 0, held = 0;
  const enough = (part) => 100 * part >= percent * sum(shares);
  shares.forEach((share, i) => {
    for (held += share; enough(held - shares[from]); from += 1) held -= shares[from];
    if (enough(held) && i - from + 1 < best.width) best = { from, width: i - from + 1 };
  });
  return best;
}

const pixels = (count) => (count === 1 ? "1 pixel" : `${grouped(count)} pixels`);
const narrow = (shares) => `within ${pixels(within(shares, 90).width)}, half within ${within(shares, 50).width}`;

// The measured shares of an example; undefined where nothing was measured.
function measured(values, data) {
  const key = (settings) => { const { layers, chosen } = trace(settings); return [settings.size, layers, chosen]; };
  return data.measured[spec.presets.findIndex((preset) => same(key(preset.values), key(values)))];
}

export function verdict(values) {
  const { rows, misfit, chosen } = trace(values), [{ size, first, last, paths }] = rows;
  if (misfit) return `Layer ${rows.length} does not fit: its window reaches across ${misfit.reach}, but there are only ${misfit.padded}, padding included.`;
  if (!sum(paths)) return `Neuron ${chosen} sees nothing but padding.`;
  const inside = paths.slice(Math.max(0, first), last + 1), beyond = last - first + 1 - inside.length, unread = inside.filter((count) => !count).length;
  return `Neuron ${chosen} sees ${pixels(last - first + 1)}${beyond ? `, ${grouped(beyond)} beyond the edge` : ""}${unread ? `, ${unread} never read` : ""}. 90 % of the paths to it begin ${narrow(paths)}.`;
}

export function facts(values, data) {
  const { rows } = trace(values), [{ paths }] = rows, shares = measured(values, data);
  return [
    ...rows.map(({ layer, size, field, first, last }, i) => [
      layer ? `Layer ${i}: F ${layer.kernel}, S ${layer.stride}, P ${layer.padding}, d ${layer.dilation}` : "Input",
      `size ${grouped(field.size)}, jump ${grouped(field.jump)}, start ${grouped(field.start)}; seen: ${grouped(first)} to ${grouped(last)} of 0 to ${size - 1}`,
    ]),
    ["Paths to the neuron", sum(paths) ? `${grouped(sum(paths))}; 90 % ${narrow(paths)}` : "none"],
    ["Squared gradient, measured", shares ? `90 % ${narrow(shares)}` : "for the unchanged examples only"],
  ];
}

// --- the drawing: the input at the bottom, the output on top, and below them how much pixels count ---

const LEFT = 50, RIGHT = 34, CELL = 16, PITCH = 42, BARS = 62;

function drawing(values, data, width, choose) {
  const { rows, chosen } = trace(values), [{ size, paths }] = rows, { field } = rows.at(-1), shares = measured(values, data);
  // The furthest that a field reaches beyond the input.
  const pad = sum(rows.slice(1).map(({ layer }, i) => layer.padding * rows[i].field.jump));
  const unit = Math.min(30, (width - LEFT - RIGHT) / (size + 2 * pad)), x = (pixel) => LEFT + (pixel + pad + 0.5) * unit;
  const bands = [], marks = [];
  const rect = (middle, half, y, height, cls) => svg("rect", { x: middle - half, width: 2 * half, y, height, rx: half / 3, class: cls });
  const text = (at, y, words, anchor) => marks.push(svg("text", { x: at, y, "text-anchor": anchor }, words));
  const label = (y, words, number) => { text(0, y, words); text(width, y, grouped(number), "end"); };

  rows.forEach((row, i) => {
    const at = (n, { jump, start } = row.field) => x(start + n * jump), half = Math.min(row.field.jump * unit * 0.43, 11);
    const top = (rows.length - 1 - i) * PITCH + 4, padding = rows[i + 1]?.layer.padding ?? 0;
    for (let n = -padding; n < row.size + padding; n += 1) {
      const on = row.paths[n] ?? (n >= row.first && n <= row.last);
      marks.push(rect(at(n), half, top, CELL, `${n in row.paths ? "cell" : "zero"} ${on && (i === rows.length - 1 ? "chosen" : "on")}`));
    }
    const a = at(row.first) - half - 2, b = at(row.last) + half + 2, below = rows[i - 1];
    const feet = below ? `L${at(below.last, below.field)} ${top + PITCH}H${at(below.first, below.field)}L${a} ${top + CELL + 3}` : "";
    bands.push(svg("path", { d: `M${a} ${top - 3}H${b}V${top + CELL + 3}${feet}H${a}Z`, class: "band" }));
    label(top + 12, i ? `layer ${i}` : "input", row.last - row.first + 1);
  });

  const floor = rows.length * PITCH + BARS, part = (all, n) => all[n] / sum(all);
  const high = Math.max(...paths.flatMap((_, n) => [part(paths, n), shares ? part(shares, n) : 0])), tall = (all, n) => (part(all, n) / high) * BARS;
  const every = [5, 10, 20].find((pixel) => pixel * unit > 24) ?? 64;
  paths.forEach((count, n) => {
    if (count) marks.push(rect(x(n), unit * 0.4, floor - tall(paths, n), tall(paths, n), "bar"));
    if (count && shares) marks.push(svg("circle", { cx: x(n), cy: floor - tall(shares, n), r: Math.min(3.5, 1 + unit / 5), class: "dot" }));
    if (n % every === 0) text(x(n), floor + 31, n, "middle");
  });
  marks.push(svg("path", { d: `M${x(-0.5)} ${floor}H${x(size - 0.5)}`, class: "rule" }));
  if (sum(paths)) {
    const most = within(paths, 90), from = x(most.from - 0.5);
    marks.push(svg("path", { d: `M${from} ${floor + 5}v8m0-4h${most.width * unit}m0-4v8`, class: "rule" }));
    label(floor + 13, "90 %", most.width);
  }
  return [svg("svg", {
    width, height: floor + 36, viewBox: `0 0 ${width} ${floor + 36}`, role: "img", "aria-label": `${rows.length} rows of neurons; what leads to neuron ${chosen} of the last is marked.`,
    onclick: ({ offsetX }) => choose(Math.max(0, Math.min(rows.at(-1).size - 1, Math.round(((offsetX - LEFT) / unit - pad - 0.5 - field.start) / field.jump)))),
  }, bands, marks), legend(
    ["second", "chosen neuron"], ["bar", "what leads to it; below, its share of the paths"], pad && ["zero", "padding"],
    ["band", "field, as wide as the number on the right"], shares && ["dot", "share of the squared gradient, measured"])];
}

// --- the table of layers ---------------------------------------------------------------------------

const LINES = spec.settings.filter(({ kind }) => kind);

function layerTable(store) {
  const now = () => trace(store.values()).layers;
  const select = ({ name, label, minimum, maximum }, i) => html("select", {
    "aria-label": `Layer ${i + 1}: ${label}`,
    onchange: ({ target }) => store.set({ [name]: now().map((layer, n) => (n === i ? Number(target.value) : layer[label])) }),
  }, upTo(maximum - minimum + 1, (n) => html("option", {}, minimum + n)));
  const row = (head, cell) => html("tr", {}, html("th", { scope: "row" }, head), upTo(LINES[0].most, cell));
  const head = row("layer", (i) => html("th", { scope: "col" }, i + 1));
  const lines = LINES.map((line) => row(line.label, (i) => html("td", {}, select(line, i))));
  const refresh = () => {
    const layers = now();
    [head, ...lines].forEach(({ cells }, line) => [...cells].slice(1).forEach((cell, i) => {
      cell.hidden = i >= layers.length;
      if (line && !cell.hidden) cell.firstChild.value = layers[i][LINES[line - 1].label];
    }));
  };
  return { node: html("table", { class: "stack" }, html("tbody", {}, head, lines)), refresh };
}

export function mount(root, store) {
  const layers = layerTable(store), answer = html("output", { class: "verdict" });
  const range = html("input", { type: "range", id: "neuron", oninput: () => store.set({ neuron: Number(range.value) }) }), place = html("span", { class: "value", "aria-hidden": "true" });
  const figure = html("figure", {}), results = html("div", { class: "results" });
  const draw = () => figure.replaceChildren(...drawing(store.values(), store.data(), figure.clientWidth || 640, (neuron) => store.set({ neuron })));
  const update = () => {
    const values = store.values(), { rows, chosen, misfit } = trace(values);
    layers.refresh();
    range.max = rows.at(-1).size - 1;
    range.value = chosen;
    place.textContent = `${chosen} of 0 to ${range.max}`;
    tell(answer, verdict(values), misfit);
    draw();
    results.replaceChildren(table(facts(values, store.data())));
  };
  const { body, refresh, close } = frame(root, spec, store, update);
  root.querySelector(".controls").append(layers.node);
  body.append(html("style", {}, LOOK), html("div", { class: "player" }, html("label", { for: "neuron" }, "Output neuron"), range, place), answer, figure, results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(figure);
  return () => { observer.disconnect(); close(); };
}

const LOOK = `
.stack { width: auto; }
.stack th, .stack td { border: 0; padding: 0 3px 3px; text-align: center; width: auto; font-size: 13px; vertical-align: middle; }
.stack th:first-child { text-align: left; }
.stack select { min-height: 30px; padding: 2px 4px; }
svg { cursor: pointer; }
svg text { fill: var(--soft); }
.cell, .zero, .rule { fill: var(--paper); stroke: var(--edge); }
.zero { fill: none; stroke-dasharray: 2 2; border: 1px dashed var(--edge); }
.on { fill: var(--bar); stroke: var(--bar); }
.zero.on { fill: none; stroke-width: 1.8; }
.chosen { fill: var(--second); stroke: var(--second); }
.band { fill: var(--pixel); background: var(--pixel); }
.bar { fill: var(--bar); }
.dot { fill: var(--third); background: var(--third); stroke: var(--paper); }
.swatch.zero { background: none; }
.swatch.dot { width: 10px; height: 10px; border-radius: 50%; }
@container (max-width: 460px) {
.stack { width: 100%; }
.stack select { appearance: none; text-align-last: center; padding: 0; min-height: 42px; }
}
`;

export default homes("cnn-receptive-field", spec, mount);
