// Parameter explosion: what one layer has to learn as the image grows, wired in three ways.

import { fixed, grouped, html, svg, table, tell } from "./elements.js";
import { line, PLOT, plot } from "./plot.js";
import { convParams } from "./shapes.js";
import { frame, homes } from "./shared.js";
import spec from "./parameters.json" with { type: "json" };

// --- arithmetic and words; parameters.py has the same, and a test compares them ----------------------

// Weights without biases. The local layers put a window on every pixel, and padding counts in full.
// FC comes twice: with the number of neurons given (`some`), and with as many outputs as CONV (`equal`).
export function weights({ size, depth, neurons, filters, kernel }) {
  const inputs = size * size * depth, outputs = size * size * filters;
  const conv = convParams(depth, filters, kernel, { bias: false });
  return { inputs, outputs, equal: inputs * outputs, some: inputs * neurons, local: size * size * conv, conv };
}

function comparison(some, conv) {
  if (some === conv) return "as many weights as CONV";
  if (some < conv) return "fewer weights than CONV";
  const ratio = some / conv;
  return `${ratio < 10 ? fixed(ratio, 1) : grouped(Math.floor(ratio + 0.5))} times the weights of CONV`;
}

const units = (count) => (count === 1 ? "1 neuron" : `${grouped(count)} neurons`);

export function verdict(values) {
  const w = weights(values), { neurons, size, kernel } = values;
  const wide = kernel > size ? " The window is wider than the image, so most of its weights meet padding." : "";
  return `FC with ${units(neurons)} needs ${comparison(w.some, w.conv)}: ${grouped(w.some)} against ${grouped(w.conv)}. `
    + `It gives ${neurons === 1 ? "1 number" : `${grouped(neurons)} numbers`}, CONV gives ${grouped(w.outputs)}; an FC layer that gives as many needs ${grouped(w.equal)}.${wide}`;
}

export function facts(values) {
  const w = weights(values), { size, depth, neurons, filters, kernel } = values;
  const taps = kernel * kernel * depth;
  const product = (a, b, all) => `${grouped(a)} · ${grouped(b)} = ${grouped(all)}`;
  return [
    ["Inputs", `${grouped(size)} · ${grouped(size)} · ${depth} = ${grouped(w.inputs)}`],
    ["FC, as many outputs as CONV", product(w.inputs, w.outputs, w.equal)],
    [`FC, ${units(neurons)}`, product(w.inputs, neurons, w.some)],
    [`Locally connected, ${kernel} × ${kernel}`, product(w.outputs, taps, w.local)],
    [`CONV, ${kernel} × ${kernel}`, product(filters, taps, w.conv)],
  ];
}

// --- the plot --------------------------------------------------------------------------------------

const LINES = ["equal", "some", "local", "conv"];
const [LOW, HIGH] = [spec.settings[0].minimum, spec.settings[0].maximum];
const power = (exponent) => (exponent ? `10${[...String(exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}` : "1");

function drawing(values, width) {
  const at = (size) => weights({ ...values, size });
  const ends = [LOW, HIGH].map((size) => [size, at(size)]), now = at(values.size);
  const most = Math.ceil(Math.log10(Math.max(...LINES.map((name) => ends[1][1][name]))) / 3) * 3;
  const axes = plot({
    width, height: 300,
    x: { min: LOW, max: HIGH, log: true, label: "side of the image, in pixels", ticks: [4, 16, 64, 256, 1024] },
    y: {
      min: 1, max: 10 ** most, log: true, label: "weights",
      ticks: Array.from({ length: most / 3 + 1 }, (_, i) => 1000 ** i), format: (v) => power(Math.round(Math.log10(v))),
    },
    label: `Weights against the side of the image, on logarithmic axes, ${values.size} marked. ${facts(values).slice(1).map((row) => row.join(": ")).join("; ")}.`,
  });
  const x = axes.x(values.size);
  // On these axes a power of the side is a straight line.
  axes.add(LINES.map((name) => line(axes, ends.map(([size, w]) => [size, w[name]]), name)));
  axes.node.append(svg("line", { x1: x, x2: x, y1: axes.y(1), y2: axes.y(10 ** most), class: "here" }),
    svg("text", { x, y: 7, "text-anchor": "middle" }, grouped(values.size)),
    ...LINES.map((name) => svg("circle", { cx: x, cy: axes.y(now[name]), r: 4.5, class: `dot ${name}` })));
  return axes;
}

const sample = (name) => svg("svg", { class: "sample", width: 34, height: 10, "aria-hidden": "true" },
  svg("line", { x1: 0, x2: 34, y1: 5, y2: 5, class: `line ${name}` }));

// --- the widget ------------------------------------------------------------------------------------

export function mount(root, store) {
  const answer = html("output", { class: "verdict" });
  const figure = html("figure", { onpointerdown: drag, onpointermove: drag });
  const results = html("div", { class: "results" });
  let axes;
  function drag(event) {
    if (event.buttons !== 1) return;
    const part = (event.clientX - figure.getBoundingClientRect().left - axes.x(LOW)) / (axes.x(HIGH) - axes.x(LOW));
    const size = Math.round(LOW * (HIGH / LOW) ** Math.min(1, Math.max(0, part)));
    if (size !== store.get("size")) store.set({ size });
  }
  const draw = () => {
    axes = drawing(store.values(), figure.clientWidth || 640);
    figure.replaceChildren(axes.node);
  };
  const update = () => {
    const values = store.values();
    tell(answer, verdict(values));
    draw();
    results.replaceChildren(table(facts(values).map(([label, text], i) => [i ? [sample(LINES[i - 1]), label] : label, text])));
  };
  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, PLOT + LOOK), answer, figure, results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(figure);
  return () => { observer.disconnect(); close(); };
}

const LOOK = `
figure { cursor: ew-resize; touch-action: pan-y; user-select: none; }
.line.some { stroke-dasharray: 8 4; }
.line.local, .dot.local { stroke: var(--second); }
.line.local { stroke-dasharray: 2 3; }
.line.conv, .dot.conv { stroke: var(--third); }
.line.conv { stroke-dasharray: 9 3 2 3; }
.here { stroke: var(--edge); }
.dot { fill: var(--paper); stroke: var(--bar); stroke-width: 2.2; }
.sample { display: inline-block; vertical-align: middle; margin: -2px 9px 0 0; }
@container (min-width: 461px) { .field { width: 96px; } }
@container (max-width: 460px) { .sample { display: block; margin: 6px 0 4px; } }
`;

export default homes("cnn-parameters", spec, mount);
