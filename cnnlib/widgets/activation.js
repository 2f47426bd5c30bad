// Activation explorer: five functions, their slopes, and what they do to a batch.

import { fixed, html, legend, say, svg, table, tell } from "./elements.js";
import { normal } from "./chance.js";
import { PLOT, counts, histogram, line, plot } from "./plot.js";
import { frame, homes } from "./shared.js";
import spec from "./activation.json" with { type: "json" };

const UNITS = 32, EXAMPLES = 128, SEED = 145, FAINT = 0.05;

// --- arithmetic: as in cnnlib/reference/activation.py -------------------------------------------------

const below = (x) => Math.min(x, 0), above = (x) => Math.max(x, 0);

// Of each function: the output, from the input; the slope, from the output.
const FUNCTIONS = {
  relu: [above, (y) => (y > 0 ? 1 : 0)],
  leaky_relu: [(x, { slope }) => above(x) + slope * below(x), (y, { slope }) => (y > 0 ? 1 : slope)],
  elu: [(x, { alpha }) => above(x) + alpha * Math.expm1(below(x)), (y, { alpha }) => (y > 0 ? 1 : y + alpha)],
  sigmoid: [(x) => Math.exp(below(x)) / (1 + Math.exp(-Math.abs(x))), (y) => y * (1 - y)],
  tanh: [Math.tanh, (y) => 1 - y * y],
};

export const output = (x, values) => FUNCTIONS[values.function][0](x, values);
export const slopeAt = (x, values) => FUNCTIONS[values.function][1](output(x, values), values);

// Standard normal numbers: one for each unit, in rising order, and one for each input.
const chance = normal(SEED);
const OFFSETS = Array.from({ length: UNITS }, chance).sort((a, b) => a - b);
const NOISE = Array.from({ length: UNITS * EXAMPLES }, chance);
const ofUnit = (all, unit) => all.slice(unit * EXAMPLES, (unit + 1) * EXAMPLES);

// The batch, unit by unit: its numbers, what is true of each, and which units are dead.
export function batch(values) {
  const before = NOISE.map((noise, i) => values.mean + values.between * OFFSETS[Math.floor(i / EXAMPLES)] + values.within * noise);
  const after = before.map((x) => output(x, values)), slopes = before.map((x) => slopeAt(x, values));
  return {
    before, after, slopes,
    zero: after.map((y) => y === 0),
    faint: slopes.map((slope) => slope < FAINT),
    dead: OFFSETS.map((_, unit) => ofUnit(slopes, unit).every((slope) => slope === 0)),
  };
}

const count = (flags) => flags.filter(Boolean).length;
const share = (flags) => `${fixed((100 * count(flags)) / flags.length, 1)} %`;
const mean = (all) => all.reduce((sum, v) => sum + v, 0) / all.length;

// --- sentences; activation.py writes the same ones, and a test compares them --------------------------

export function verdict(values) {
  const { slopes, zero, faint, ...rest } = batch(values), dead = count(rest.dead);
  const units = dead === UNITS ? `All ${UNITS} units are` : `${dead} of ${UNITS} units ${dead === 1 ? "is" : "are"}`;
  const lost = dead ? `${units} dead. The slope is 0 for all ${EXAMPLES} examples.`
    : zero.includes(true) ? `No unit is dead. ${share(zero)} of the outputs are 0, but every unit has an example that lets the gradient through.`
      : `No unit is dead. ${share(faint)} of the slopes are below ${FAINT}.`;
  return `${lost} On average ${fixed(mean(slopes), 3)} of the gradient comes back.`;
}

export function facts(values) {
  const { x } = values;
  const { before, after, slopes, zero, faint, dead } = batch(values);
  return [
    ["Function", `${nameOf(values)}: y = ${spec.formulas[values.function]}`],
    ["At the point", `x = ${fixed(x, 1)}, y = ${fixed(output(x, values), 3)}, slope ${fixed(slopeAt(x, values), 3)}`],
    ["Mean, before and after", `${fixed(mean(before))} → ${fixed(mean(after))}`],
    ["Outputs that are 0", share(zero)],
    [`Slopes below ${FAINT}`, share(faint)],
    ["Gradient that comes back, on average", fixed(mean(slopes), 3)],
    ["Dead units", `${count(dead)} of ${UNITS}`],
  ];
}

const nameOf = (values) => spec.settings[0].options.find(([name]) => name === values.function)[1];

// --- the function and its slope -----------------------------------------------------------------------

const REACH = 5, STEPS = 200;

// One curve over −5 … 5 with its point, in two parts: it may jump at 0.
function curve(values, what, of, more) {
  const { x } = values, title = `${what} at x = ${fixed(x, 1)}: ${fixed(of(x), 3)}`;
  const axes = plot({ x: { min: -REACH, max: REACH }, room: { bottom: 22 }, title, label: `${nameOf(values)}. ${title}.`, ...more });
  const part = (from) => Array.from({ length: STEPS + 1 }, (_, i) => from + (i * REACH) / STEPS).map((v) => [v, of(v)]);
  axes.add(
    what === "Output" ? line(axes, [[-REACH, -REACH], [REACH, REACH]], "dashed same") : [],
    line(axes, [...part(-REACH), null, ...part(1e-9)], ""),
    line(axes, [[x, 0], [x, of(x)]], "stem"));
  axes.node.append(svg("circle", { cx: axes.x(x), cy: axes.y(of(x)), r: 5, class: "dot" }));
  return axes.node;
}

function curves(width, values) {
  const steep = values.function === "elu" ? Math.max(1, values.alpha) : 1;
  return [
    curve(values, "Output", (x) => output(x, values), { width, height: 214, y: { min: -2, max: 5 } }),
    curve(values, "Slope", (x) => slopeAt(x, values), { width, height: 196, y: { min: 0, max: steep * 1.08, ticks: [0, 0.25, 0.5, 1, 1.5, 2].filter((v) => v <= steep), format: String } }),
  ];
}

// --- the batch ----------------------------------------------------------------------------------------

// Units and both histograms on one axis, with 0 in its middle.
function panels(width, values) {
  const { before, after, faint, dead } = batch(values);
  const far = Math.max(REACH, ...[...before, ...after].map((v) => Math.ceil(Math.abs(v))));
  const bins = 2 * far * (far > 12 ? 2 : 4), x = { min: -far, max: far }, bare = { x: { ...x, format: () => "" }, room: { bottom: 4 } };

  const title = `Range of each unit's inputs: ${count(dead)} dead`;
  const units = plot({ width, height: 160, y: { min: -0.5, max: UNITS - 0.5, ticks: [] }, title, label: `${title}.`, ...bare });
  units.add(dead.map((isDead, unit) => {
    const own = ofUnit(before, unit), y = units.y(unit);
    return svg("line", { x1: units.x(Math.min(...own)), x2: units.x(Math.max(...own)), y1: y, y2: y, class: isDead ? "unit dead" : "unit" });
  }));

  const heights = (all) => counts(all, -far, far, bins).map((n) => (100 * n) / NOISE.length);
  const spread = (all, title, more) => {
    const full = heights(all);
    const axes = plot({ width, y: { min: 0, max: Math.max(...full) * 1.05, format: (v) => `${v} %` }, title, label: `Histogram. ${title}: from ${fixed(Math.min(...all))} to ${fixed(Math.max(...all))}.`, ...more });
    axes.add(histogram(axes, full, -far, far, "bar"), histogram(axes, heights(all.filter((_, i) => faint[i])), -far, far, "faint"));
    return axes.node;
  };
  return [
    units.node,
    spread(before, "Before: inputs", { height: 116, ...bare }),
    spread(after, "After: outputs", { height: 134, x, room: { bottom: 22 } }),
  ];
}

// --- the widget ---------------------------------------------------------------------------------------

export function mount(root, store) {
  const answer = html("output", { class: "verdict" });
  const point = html("p", { class: "unseen", role: "status" });
  const left = html("div", {}), right = html("div", {});
  const key = legend(["bar", `slope at least ${FAINT}`], ["faint", `slope below ${FAINT}`], ["dead", "dead unit"], ["same", "y = x"]);
  const figure = html("figure", {}, html("div", { class: "pair" }, left, right), key);
  const results = html("div", { class: "results" });

  const draw = () => {
    const values = store.values(), width = left.clientWidth || 320;
    left.replaceChildren(...curves(width, values));
    right.replaceChildren(...panels(width, values));
  };
  const update = () => {
    const values = store.values(), rows = facts(values);
    tell(answer, verdict(values), batch(values).dead.includes(true));
    say(point, rows[1][1]);
    draw();
    results.replaceChildren(table(rows));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, PLOT, LOOK), answer, point, figure, results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(figure);
  return () => { observer.disconnect(); close(); };
}

const LOOK = `
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 14px 22px; }
.pair svg + svg { margin-top: 8px; }
.line.same { stroke: var(--edge); stroke-width: 1.3; }
.line.stem { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; }
.dot { fill: var(--bar); stroke: var(--paper); stroke-width: 2; }
.bar { fill: var(--bar); }
.faint { fill: var(--second-fill); stroke: var(--second); stroke-width: .8; }
.unit { stroke: var(--bar); stroke-width: 2; }
.dead { stroke: var(--second); stroke-dasharray: 5 2; }
.swatch.same { height: 0; border-radius: 0; border-top: 1.5px dashed var(--edge); background: none; }
.swatch.faint { background: var(--second-fill); border: 1px solid var(--second); }
.swatch.dead { height: 0; border-radius: 0; border-top: 2px dashed var(--second); background: none; }
@container (max-width: 600px) { .pair { grid-template-columns: 1fr; } }
`;

export default homes("cnn-activation", spec, mount);
