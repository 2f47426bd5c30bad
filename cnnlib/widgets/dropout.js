// Dropout: twelve units feed one output; each mini-batch draws a mask anew, and the outputs are averaged.

import { fixed, html, legend, svg, table, tell } from "./elements.js";
import { frame, homes } from "./shared.js";
import { uniform } from "./chance.js";
import { player } from "./player.js";
import { line, plot, PLOT } from "./plot.js";
import spec from "./dropout.json" with { type: "json" };

const { activations, weights } = spec;
const STEPS = spec.settings.at(-1).maximum + 1;
// A coin has 16 bits, as cnnlib.reference.dropout draws them.
const COIN = 65536;

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const short = (number) => String(Number(number.toFixed(3)));

// --- arithmetic ----------------------------------------------------------------------------------

// The masks of the first `count` mini-batches: true where a unit is kept. They follow from seed and p.
export function masks({ p, seed }, count) {
  const next = uniform(seed);
  return Array.from({ length: count }, () => activations.map(() => Math.floor(next() * COIN) >= p * COIN));
}

// What the layer passes on under a mask.
export function passed({ p, scaling }, mask) {
  const factor = scaling ? 1 / (1 - p) : 1;
  return activations.map((x, i) => (mask[i] ? x * factor : 0));
}

const output = (inputs) => sum(inputs.map((x, i) => x * weights[i]));

// Everything that the widget says and draws, up to and with mini-batch `step`.
export function measure(values) {
  const { p, scaling, step } = values, n = step + 1;
  const all = masks(values, n), outputs = all.map((mask) => output(passed(values, mask)));
  const mean = sum(outputs) / n, evaluation = output(activations);
  const squares = sum(activations.map((x, i) => (x * weights[i]) ** 2));
  return {
    n, outputs, mean, evaluation, squares, mask: all[step],
    expected: scaling ? evaluation : (1 - p) * evaluation,
    deviation: Math.sqrt((scaling ? p / (1 - p) : p * (1 - p)) * squares),
    measured: n < 2 ? null : Math.sqrt(sum(outputs.map((y) => (y - mean) ** 2)) / (n - 1)),
  };
}

// --- sentences; dropout.py writes the same ones, and a test compares them ------------------------

export function verdict(values) {
  const { p, scaling } = values, { n, mean, evaluation, expected, deviation } = measure(values);
  if (p === 0) return `Nothing is cut at p = 0: every output is the evaluation output, ${fixed(evaluation)}.`;
  const outputs = n === 1 ? "first output" : `mean of ${n} outputs`;
  const said = `The ${outputs} is ${fixed(mean)}, the evaluation output ${fixed(evaluation)}.`;
  if (!scaling) return `${said} Without the factor the mean settles at ${fixed(expected)}: test time gives ${fixed(1 / (1 - p))} times as much as training, unless the weights are scaled instead.`;
  const away = Math.abs(mean - evaluation), error = deviation / Math.sqrt(n);
  return `${said} They differ by ${fixed(away)}; chance moves ${n === 1 ? "one output" : `a mean of ${n}`} by about ${fixed(error)}${away > 2 * error ? ", and seldom by more than twice that. This is such a case." : "."}`;
}

export function facts(values) {
  const { p, scaling } = values, m = measure(values);
  const kept = m.mask.filter(Boolean).length, units = activations.length;
  const [formula, numbers] = scaling ? ["p/(1 − p)", `${short(p)}/${short(1 - p)}`] : ["p · (1 − p)", `${short(p)} · ${short(1 - p)}`];
  return [
    ["Units kept in this mini-batch", `${kept} of ${units}; on average ${short((1 - p) * units)}`],
    ["Output of this mini-batch", fixed(m.outputs.at(-1))],
    ["Running mean of the outputs", `${fixed(m.mean)} after ${m.n} mini-batch${m.n === 1 ? "" : "es"}`],
    ["Evaluation output: no mask, no factor", fixed(m.evaluation)],
    ["Expected output in training", scaling ? fixed(m.expected) : `(1 − ${short(p)}) · ${fixed(m.evaluation)} = ${fixed(m.expected)}`],
    ["Standard deviation by the formula", `√(${formula} · Σ(w·x)²) = √(${numbers} · ${fixed(m.squares, 3)}) = ${fixed(m.deviation)}`],
    ["Standard deviation measured", m.measured === null ? "needs two mini-batches" : fixed(m.measured)],
  ];
}

// --- the layer -----------------------------------------------------------------------------------

function layer(values, { mask, outputs }, width) {
  const inputs = passed(values, mask), pitch = Math.min(46, width / mask.length), r = Math.min(16, pitch / 2 - 1.5);
  const top = 22 + r, below = top + r + 38, weight = below + 42, neuron = weight + 80, height = neuron + 36;
  const wide = pitch * mask.length, middle = wide / 2;
  const text = (x, y, content, cls) => svg("text", { x, y, class: cls, "text-anchor": x ? "middle" : "start" }, content);
  const caption = (y, words) => text(0, y, words, "tick");
  const unit = (kept, i) => {
    const x = (i + 0.5) * pitch, d = r * 0.8, w = weights[i], cls = kept ? "" : "tick";
    return [
      svg("line", { x1: x, y1: weight + 8, x2: middle, y2: neuron, class: kept ? (w < 0 ? "edge minus" : "edge") : "edge cut", "stroke-width": kept ? 0.6 + 2.2 * Math.abs(w) : 1 }),
      svg("circle", { cx: x, cy: top, r, class: kept ? "unit" : "unit cut" }),
      kept ? null : svg("path", { d: `M${x - d} ${top - d}l${2 * d} ${2 * d}m0 ${-2 * d}l${-2 * d} ${2 * d}`, pathLength: 200, class: "cross" }),
      text(x, top + 4, fixed(activations[i], 1), cls),
      text(x, below, kept ? fixed(inputs[i], 1) : "0", kept ? "strong" : cls),
      text(x, weight, fixed(w, 1), cls),
    ];
  };
  const result = fixed(outputs.at(-1)), cut = mask.flatMap((kept, i) => (kept ? [] : i + 1));
  return svg("svg", { width: wide, height, viewBox: `0 0 ${wide} ${height}`, role: "img", class: "layer",
    "aria-label": `${mask.length} units feed one output. Cut: ${cut.join(", ") || "none"}. Output ${result}.` },
  caption(11, "Activations; crossed units are cut"), caption(below - 17, "Passed on"), caption(weight - 17, "Weights"), mask.flatMap(unit),
  svg("rect", { x: middle - 36, y: neuron - 15, width: 72, height: 30, rx: 15, class: "now" }),
  text(middle, neuron + 5, result, "result"), text(middle, neuron + 31, `output of mini-batch ${values.step + 1}`, "tick"));
}

// --- the course of the outputs ---------------------------------------------------------------------

function course(values, { n, outputs, evaluation, expected }, width) {
  // One y axis for all mini-batches, with and without the factor, so that it is the lines that move.
  const range = measure({ ...values, scaling: true, step: STEPS - 1 }).outputs.concat(0, evaluation);
  const min = Math.min(...range), max = Math.max(...range), room = (max - min) * 0.05;
  const end = [20, 50, 100, STEPS].find((steps) => steps >= n) * 1.01;
  const axes = plot({
    width, height: 240, label: "The outputs so far, their running mean and the evaluation output: numbers below.",
    x: { min: 0, max: end, label: "mini-batch" }, y: { min: min - room, max: max + room, label: "output" },
  });
  const level = (y, cls) => line(axes, [[0, y], [end, y]], cls);
  const dot = (r, cls) => (y, i) => svg("circle", { cx: axes.x(i + 1), cy: axes.y(y), r, class: cls });
  let total = 0;
  const means = outputs.map((y, i) => [i + 1, (total += y) / (i + 1)]);
  axes.add(outputs.map(dot(2.2, "dot")), level(evaluation, "second dashed"), expected === evaluation ? [] : level(expected, "third"), line(axes, means, ""));
  // Not inside, where it would be cut at the edges.
  axes.node.append(dot(5, "now")(outputs.at(-1), n - 1));
  return [axes.node, legend(
    ["now", "output of this mini-batch"], ["dot", "outputs before"], ["mean", "running mean"], ["dash", "evaluation output"],
    expected !== evaluation && ["dash third", "(1 − p) times the evaluation output"])];
}

// --- the widget ----------------------------------------------------------------------------------

export function mount(root, store) {
  const answer = html("output", { class: "verdict" }), figure = html("figure", {}), results = html("div", { class: "results" });
  const play = player(store, "step", { count: () => STEPS, words: (step) => `Mini-batch ${step + 1} of ${STEPS}`, pace: 350 });
  const draw = () => {
    const values = store.values(), m = measure(values), width = figure.clientWidth || 640;
    figure.replaceChildren(layer(values, m, width), ...course(values, m, width));
  };
  const update = () => {
    const values = store.values();
    play.refresh();
    answer.setAttribute("aria-live", play.playing() ? "off" : "polite");
    tell(answer, verdict(values), !values.scaling && values.p > 0);
    draw();
    results.replaceChildren(table(facts(values)));
  };
  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, PLOT, LOOK), play.node, answer, figure, results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(figure);
  return () => { observer.disconnect(); play.close(); close(); };
}

const LOOK = `
.layer { margin: 0 auto 14px; }
.strong { font-weight: 650; }
.result { fill: var(--on-bar); font-size: 14px; font-weight: 650; }
.unit { fill: var(--pixel); stroke: var(--bar); }
.unit.cut { fill: none; stroke: var(--edge); stroke-dasharray: 3 2.4; }
.cross { stroke: var(--ink); stroke-width: 1.6; stroke-dasharray: 24 52; }
.edge { stroke: var(--bar); }
.edge.minus { stroke: var(--second); stroke-dasharray: 6 3; }
.edge.cut { stroke: var(--edge); stroke-dasharray: 1 4; }
.now { fill: var(--bar); }
.dot { fill: var(--edge); }
.line.third { stroke-dasharray: 2 3; }
.swatch.now, .swatch.dot { width: 10px; height: 10px; border-radius: 50%; }
.swatch.dot { width: 6px; height: 6px; background: var(--edge); }
.swatch.mean { height: 3px; }
.swatch.dash { height: 0; border-radius: 0; border-top: 2px dashed var(--second); background: none; }
.swatch.dash.third { border-top: 2px dotted var(--third); }
`;

export default homes("cnn-dropout", spec, mount);
