// Receptive-field explorer: what one output neuron sees, and how much each pixel of it counts.

import { grouped, html, legend, svg, table, tell } from "./elements.js";
import { same } from "./fields.js";
import { effectiveKernel, measure, outputSize, receptiveField } from "./shapes.js";
import { frame, homes } from "./shared.js";
import spec from "./receptive_field.json" with { type: "json" };

// --- arithmetic and sentences; receptive_field.py has the same, and a test compares them ------------

// The layers that are asked for, and the rows of neurons of those that fit, from the input on: the
// layer that makes the row, its size, what a neuron of it sees in the input (`field`), what the chosen
// neuron sees of the row (`first` to `last`, padding included), and the paths from each to the chosen.
export function trace({ size, kernels, strides, paddings, dilations, neuron }) {
  const layers = kernels.map((kernel, i) => ({ kernel, stride: strides[i] ?? 1, padding: paddings[i] ?? 0, dilation: dilations[i] ?? 1 }));
  const rows = [{ size, field: receptiveField([]) }];
  let misfit = null;
  for (const layer of layers) {
    const axis = { size: rows.at(-1).size, ...layer }, m = measure(axis);
    if (!m.fits) { misfit = m; break; }
    rows.push({ layer, size: outputSize(axis, "floor"), field: receptiveField(layers.slice(0, rows.length)) });
  }
  const top = rows.at(-1), chosen = Math.min(neuron, top.size - 1);
  Object.assign(top, { first: chosen, last: chosen, paths: Array.from({ length: top.size }, (_, i) => Number(i === chosen)) });
  for (let i = rows.length - 1; i > 0; i -= 1) {
    const { layer: { kernel, stride, padding, dilation }, first, last, paths } = rows[i], below = rows[i - 1];
    below.first = first * stride - padding;
    below.last = last * stride - padding + effectiveKernel(kernel, dilation) - 1;
    below.paths = new Array(below.size).fill(0);
    paths.forEach((count, n) => {
      for (let tap = 0; tap < kernel; tap += 1) {
        const place = n * stride - padding + tap * dilation;
        if (place in below.paths) below.paths[place] += count;
      }
    });
  }
  return { layers, rows, misfit, chosen };
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// The shortest run of pixels that holds so many percent of all: { from, width }.
export function within(shares, percent) {
  let best = null, from = 0, held = 0;
  const enough = (part) => 100 * part >= percent * sum(shares);
  shares.forEach((share, i) => {
    for (held += share; enough(held - shares[from]); from += 1) held -= shares[from];
    if (enough(held) && !(best?.width <= i - from + 1)) best = { from, width: i - from + 1 };
  });
  return best;
}

const pixels = (count) => (count === 1 ? "1 pixel" : `${grouped(count)} pixels`);
const narrow = (shares) => `within ${pixels(within(shares, 90).width)}, half within ${within(shares, 50).width}`;

// The measured shares of an example; undefined where nothing was measured.
const measured = (values, data) => data.measured[spec.presets.findIndex((preset) => same(preset.values, values))];

export function verdict(values) {
  const { rows, misfit, chosen } = trace(values), [{ size, first, last, paths }] = rows;
  if (misfit) return `Layer ${rows.length} does not fit: its window reaches across ${misfit.reach}, but there are only ${misfit.padded}, padding included.`;
  const inside = Math.min(last + 1, size) - Math.max(first, 0), beyond = last - first + 1 - inside, unread = paths.slice(Math.max(0, first), last + 1).filter((count) => !count).length;
  if (!sum(paths)) return `Neuron ${chosen} sees nothing but padding.`;
  return `Neuron ${chosen} sees ${pixels(last - first + 1)}${beyond ? `, ${grouped(beyond)} beyond the edge` : ""}${unread ? `, ${unread} never read` : ""}. 90 % of the paths to it begin ${narrow(paths)}.`;
}

export function facts(values, data) {
  const { rows } = trace(values), [{ paths }] = rows, shares = measured(values, data);
  return [
    ...rows.map(({ layer, size, field, first, last }, i) => [
      layer ? `Layer ${i}: F ${layer.kernel}, S ${layer.stride}, P ${layer.padding}, d ${layer.dilation}` : "Input",
      `size ${grouped(field.size)}, jump ${grouped(field.jump)}, start ${grouped(field.start)}; of ${size} it needs ${grouped(first)} to ${grouped(last)}`,
    ]),
    ["Paths to the neuron", sum(paths) ? `${grouped(sum(paths))}; 90 % ${narrow(paths)}` : "none"],
    ["Squared gradient, measured", shares ? `90 % ${narrow(shares)}` : "for the unchanged examples only"],
  ];
}

// --- the drawing: the input at the bottom, the output on top, and below them how much pixels count ---

const LEFT = 50, RIGHT = 34, CELL = 16, PITCH = 42, BARS = 62;

function drawing(values, data, width, choose) {
  const { rows, chosen } = trace(values), [{ size, paths }] = rows, { field } = rows.at(-1);
  // The furthest that a field reaches beyond the input.
  const pad = sum(rows.slice(1).map(({ layer }, i) => layer.padding * rows[i].field.jump));
  const unit = Math.min(30, (width - LEFT - RIGHT) / (size + 2 * pad)), x = (pixel) => LEFT + (pixel + pad + 0.5) * unit;
  const bands = [], marks = [];
  const rect = (from, to, y, height, cls) => svg("rect", { x: from, width: Math.max(0.5, to - from), y, height, rx: Math.min(3, (to - from) / 5), class: cls });
  const text = (at, y, words, anchor) => marks.push(svg("text", { x: at, y, "text-anchor": anchor }, words));
  const label = (y, words, number) => { text(0, y, words); text(width, y, grouped(number), "end"); };

  rows.forEach((row, i) => {
    const { jump, start } = row.field, step = jump * unit, half = Math.min(step * 0.43, 11), at = (n) => x(start + n * jump);
    const y = (rows.length - 1 - i) * PITCH + 4, padding = rows[i + 1]?.layer.padding ?? 0, ends = [at(row.first) - half - 2, at(row.last) + half + 2];
    for (let n = -padding; n < row.size + padding; n += 1) {
      const on = row.paths[n] ?? (n >= row.first && n <= row.last);
      marks.push(rect(at(n) - half, at(n) + half, y, CELL, `${n in row.paths ? "cell" : "zero"}${on ? (i === rows.length - 1 ? " chosen" : " on") : ""}`));
    }
    bands.push(rect(...ends, y - 3, CELL + 6, "band"));
    if (i) {
      const { first, last, field: below } = rows[i - 1];
      bands.push(svg("path", { d: `M${ends[0]} ${y + CELL}H${ends[1]}L${x(below.start + last * below.jump)} ${y + PITCH}H${x(below.start + first * below.jump)}Z`, class: "band" }));
    }
    label(y + 12, i ? `layer ${i}` : "input", row.last - row.first + 1);
  });

  const floor = rows.length * PITCH + BARS, shares = measured(values, data), part = (all, n) => all[n] / sum(all);
  const high = Math.max(...paths.flatMap((_, n) => [part(paths, n), shares ? part(shares, n) : 0])), y = (share) => floor - (share / high) * BARS;
  paths.forEach((count, n) => {
    if (count) marks.push(rect(x(n) - unit * 0.4, x(n) + unit * 0.4, y(part(paths, n)), floor - y(part(paths, n)), "bar"));
    if (count && shares) marks.push(svg("circle", { cx: x(n), cy: y(part(shares, n)), r: Math.min(3.5, 1 + unit / 5), class: "dot" }));
    if (n % (unit > 8 ? 5 : 10) === 0) text(x(n), floor + 31, n, "middle");
  });
  const most = sum(paths) ? within(paths, 90) : { from: 0, width: 0 }, ends = [x(most.from - 0.5), x(most.from + most.width - 0.5)];
  marks.push(svg("path", { d: `M${x(-0.5)} ${floor}H${x(size - 0.5)}M${ends[0]} ${floor + 5}v8m0-4H${ends[1]}m0-4v8`, class: "rule" }));
  label(floor + 13, "90 %", most.width);
  return [svg("svg", {
    width, height: floor + 36, viewBox: `0 0 ${width} ${floor + 36}`, role: "img", "aria-label": `${rows.length} rows of neurons; what leads to neuron ${chosen} of the last is marked.`,
    onclick: ({ offsetX }) => choose(Math.round(((offsetX - LEFT) / unit - pad - 0.5 - field.start) / field.jump)),
  }, bands, marks), legend(
    ["second", "chosen neuron"], ["bar", "what leads to it; below, its share of the paths"], pad && ["zero", "padding"],
    ["band", "field, as wide as the number on the right"], shares && ["dot", "share of the squared gradient, measured"])];
}

// --- the table of layers ---------------------------------------------------------------------------

const LINES = spec.settings.filter(({ kind }) => kind).map((setting) => ({ ...setting, word: setting.label.toLowerCase() }));

function layerTable(store) {
  const now = () => trace(store.values()).layers, { most } = LINES[0], columns = Array.from({ length: most }, (_, i) => i);
  const list = (word, count, fresh) => Array.from({ length: count }, (_, i) => now()[i]?.[word] ?? fresh);
  const resize = (by) => () => {
    const count = now().length + by;
    if (count >= 1 && count <= most) store.set(Object.fromEntries(LINES.map(({ name, word, default: [fresh] }) => [name, list(word, count, fresh)])));
  };
  const select = ({ name, word, minimum, maximum }, i) => html("select", {
    "aria-label": `Layer ${i + 1}: ${word}`, onchange: ({ target }) => store.set({ [name]: list(word, now().length).with(i, Number(target.value)) }),
  }, Array.from({ length: maximum - minimum + 1 }, (_, n) => html("option", {}, minimum + n)));
  const row = (head, cells) => html("tr", {}, html("th", { scope: "row" }, head), cells);
  const lines = LINES.map((line) => row(line.word, columns.map((i) => html("td", {}, select(line, i)))));
  const top = row("layer", columns.map((i) => html("th", { scope: "col" }, i + 1)));
  const [more, less] = [["Add a layer", 1], ["Remove the last", -1]].map(([words, by]) => html("button", { type: "button", onclick: resize(by) }, words));
  const refresh = () => {
    const layers = now();
    for (const { cells } of [top, ...lines]) columns.forEach((i) => { cells[i + 1].hidden = i >= layers.length; });
    layers.forEach((layer, i) => lines.forEach(({ cells }, n) => { cells[i + 1].firstChild.value = layer[LINES[n].word]; }));
    more.setAttribute("aria-disabled", layers.length === most);
    less.setAttribute("aria-disabled", layers.length === 1);
  };
  return { node: html("div", { class: "stack choices" }, html("table", {}, html("tbody", {}, top, lines)), more, less), refresh };
}

export function mount(root, store) {
  const layers = layerTable(store), answer = html("output", { class: "verdict" });
  const choose = (neuron) => store.set({ neuron: Math.max(0, Math.min(neuron, trace(store.values()).rows.at(-1).size - 1)) });
  const range = html("input", { type: "range", id: "neuron", oninput: () => choose(Number(range.value)) }), place = html("span", { class: "value" });
  const figure = html("figure", {}), results = html("div", { class: "results" });
  const draw = () => figure.replaceChildren(...drawing(store.values(), store.data(), figure.clientWidth || 640, choose));
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
.stack { align-items: end; }
.stack table { width: auto; }
.stack th, .stack td { border: 0; padding: 0 3px 3px; text-align: center; width: auto; font-size: 13px; vertical-align: middle; }
.stack th:first-child { text-align: left; }
.stack select { min-height: 30px; padding: 2px 4px; }
.stack [aria-disabled="true"] { color: var(--soft); opacity: .75; }
svg { cursor: pointer; }
svg text { fill: var(--soft); }
.cell, .zero, .rule { fill: var(--paper); stroke: var(--edge); }
.zero { fill: none; stroke-dasharray: 2 2; border: 1px dashed var(--edge); }
.on { fill: var(--bar); stroke: var(--bar); }
.zero.on { fill: none; stroke-width: 1.8; }
.chosen { fill: var(--second); stroke: var(--second); }
.band { fill: var(--pixel); background: var(--pixel); }
.bar { fill: var(--bar); background: var(--bar); }
.dot { fill: var(--third); background: var(--third); stroke: var(--paper); }
.swatch.zero { background: none; }
.swatch.dot { width: 10px; height: 10px; border-radius: 50%; }
@container (max-width: 460px) {
.stack table { width: 100%; }
.stack select { appearance: none; text-align-last: center; padding: 0; min-height: 42px; }
}
`;

export default homes("cnn-receptive-field", spec, mount);
