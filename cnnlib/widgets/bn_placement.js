// BN before RELU or behind it: one batch of numbers through both orders, side by side.

import { normal, uniform } from "./chance.js";
import { fixed, html, legend, svg, table, tell } from "./elements.js";
import { PLOT, counts, histogram, plot } from "./plot.js";
import { frame, homes } from "./shared.js";
import spec from "./bn_placement.json" with { type: "json" };

// A seed whose few numbers look like the curves that they come from.
const COUNT = 512, SEED = 69, EPS = 1e-5;

// --- arithmetic ----------------------------------------------------------------------------------

const average = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
const share = (values, holds) => values.filter(holds).length / values.length;

export function statistics(values) {
  const mean = average(values), variance = average(values.map((v) => (v - mean) ** 2));
  return { mean, variance, zeros: share(values, (v) => v === 0), negative: share(values, (v) => v < 0) };
}

// BN in training. With the statistics of `values` it is a line: scale·v + shift.
export function batchNorm(values, gamma, beta) {
  const { mean, variance } = statistics(values), scale = gamma / Math.sqrt(variance + EPS);
  return { bn: values.map((v) => (v - mean) * scale + beta), scale, shift: beta - mean * scale };
}

export const relu = (values) => values.map((v) => Math.max(v, 0));

// The batch before it is moved: its mean is 0 and its spread 1.
function standard(shape) {
  const next = (shape === "normal" ? normal : uniform)(SEED);
  const drawn = Array.from({ length: COUNT }, () => (shape === "normal" ? next() : -Math.log(1 - next())));
  const { mean, variance } = statistics(drawn);
  return drawn.map((v) => (v - mean) / Math.sqrt(variance));
}
const STANDARD = { normal: standard("normal"), skewed: standard("skewed") };

// The batch, and what each order makes of it: two steps [title, numbers, the value where RELU's
// zeros are], BN's line, and which numbers are silent, RELU having made them 0.
export function through({ shape, mean, spread, gamma, beta }) {
  const batch = STANDARD[shape].map((z) => mean + spread * z), hidden = relu(batch);
  const before = batchNorm(batch, gamma, beta), behind = batchNorm(hidden, gamma, beta), out = relu(before.bn);
  const order = (name, line, cut, at, ...steps) => ({ name, ...line, silent: cut.map((v) => v === 0), part: share(cut, (v) => v === 0), at, steps });
  return {
    batch,
    before: order("BN → RELU", before, out, 0, ["after BN", before.bn], ["after RELU", out, 0]),
    behind: order("RELU → BN", behind, hidden, behind.shift, ["after RELU", hidden, 0], ["after BN", behind.bn, behind.shift]),
  };
}

// --- sentences; bn_placement.py writes the same ones, and a test compares them ----------------------

const percent = (part) => `${fixed(100 * part, 1)} %`;

export function verdict(values) {
  const { batch, before, behind } = through(values), beta = fixed(values.beta), cut = percent(before.part);
  if (values.gamma === 0) return `With γ = 0 BN forgets its input. Both orders end in one value: ${fixed(Math.max(values.beta, 0))} from BN → RELU, ${beta} from RELU → BN.`;
  if (behind.part === 1) return `All inputs are negative: with RELU first the channel is dead. Every number becomes 0, BN makes β = ${beta} of the constant, and no gradient gets back. With BN first, RELU silences ${cut}.`;
  if (behind.part === 0) return `No input is negative: RELU first changes nothing. RELU → BN is then BN alone. BN first puts the mean at β = ${beta}, and RELU silences ${cut}.`;
  return `RELU silences ${cut} with BN first, ${percent(behind.part)} with RELU first. They reach the next layer as 0 from BN → RELU, as ${fixed(behind.at)} from RELU → BN.`;
}

// What the widget tells of some numbers, as [name, text].
function told(values) {
  const { mean, variance, zeros, negative } = statistics(values);
  return [["mean", fixed(mean)], ["variance", fixed(variance)], ["zeros", percent(zeros)], ["negative", percent(negative)]];
}

export function facts(values) {
  const { batch, before, behind } = through(values), both = [before, behind];
  const text = (numbers) => told(numbers).map((pair) => pair.join(" ")).join(", ");
  return [
    ["Input", text(batch)],
    ...both.flatMap(({ name, steps }) => steps.map(([title, numbers]) => [`${name}, ${title}`, text(numbers)])),
    ...both.map(({ name, part, at }) => [`${name}, silent`, part ? `${part * COUNT} of ${COUNT}, at ${fixed(at)}` : "none"]),
    ...both.map(({ name, scale, shift }) => [`${name}, BN as a line`, `${fixed(scale)}·x + ${fixed(shift)}`.replace("+ −", "− ")]),
  ];
}

// --- the histograms ------------------------------------------------------------------------------

// The same axes for all: what moves in the picture has moved. What lies beyond counts in the
// outermost bars; bars taller than TOP are cut, and torn.
const END = 6, BINS = 48, TOP = 0.2;

function drawing(values, width, label, { silent, part }, at) {
  const axes = plot({
    width, height: 112, label: `Histogram: ${label}`, room: { top: 8, bottom: 21 },
    x: { min: -END, max: END, ticks: [-6, -4, -2, 0, 2, 4, 6] }, y: { min: 0, max: TOP, ticks: false },
  });
  const top = axes.y(TOP), floor = axes.y(0), mean = axes.x(average(values)), bin = (axes.x(END) - axes.x(-END)) / BINS;
  const own = at !== undefined && part > 0, shown = own ? values.filter((_, i) => !silent[i]) : values;
  const shares = counts(shown, -END, END, BINS).map((n) => n / COUNT);
  const tear = (n, x, wide) => (n > TOP ? svg("path", { d: `M${x} ${top + 7}l${wide / 2} -4l${wide / 2} 4`, class: "tear" }) : "");
  axes.add(
    histogram(axes, shares, -END, END, "bar"),
    shares.map((n, i) => tear(n, axes.x(-END) + i * bin, bin)),
    svg("line", { x1: mean, x2: mean, y1: top, y2: floor, class: "mean" }));
  if (own) {
    const x = axes.x(Math.max(-END, Math.min(END, at))), right = at < END / 3;
    axes.add(
      svg("rect", { x: x - 3, width: 6, y: axes.y(part), height: floor - axes.y(part), class: "silent" }),
      tear(part, x - 4, 8),
      [percent(part), `at ${fixed(at)}`].map((text, i) =>
        svg("text", { x: right ? x + 8 : x - 8, y: top + 9 + 13 * i, "text-anchor": right ? "start" : "end", class: "told" }, text)));
  }
  return axes.node;
}

export function mount(root, store) {
  const answer = html("output", { class: "verdict" });
  const orders = html("div", { class: "orders" });
  const results = html("div", { class: "results" });

  const panel = (order, [title, values, at]) => html("figure", {},
    html("figcaption", {}, title),
    html("dl", {}, told(values).map(([name, text]) => html("div", {}, html("dt", {}, name), html("dd", {}, text)))),
    drawing(values, Math.max(120, (orders.clientWidth - GAP) / 2), `${order.name}, ${title}`, order, at));
  const draw = () => {
    const { batch, before, behind } = through(store.values());
    orders.replaceChildren(...[before, behind].map((order) => html("div", { role: "group", "aria-label": order.name },
      html("p", { class: "order" }, order.name), [["input", batch], ...order.steps].map((step) => panel(order, step)))));
  };
  const update = () => {
    const values = store.values();
    tell(answer, verdict(values), values.gamma === 0 || through(values).behind.part === 1);
    draw();
    results.replaceChildren(table(facts(values).slice(5)));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, PLOT, LOOK), answer, orders, legend(
    ["", `share of the numbers, up to ${100 * TOP} % (torn: more; outermost: all beyond)`], ["silent", "silent: RELU made them 0"], ["mean", "mean"]), results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(orders);
  return () => { observer.disconnect(); close(); };
}

const GAP = 20;
const LOOK = `
.orders { display: grid; grid-template-columns: 1fr 1fr; gap: ${GAP}px; margin: 16px 0 0; }
.orders > * { min-width: 0; }
.order { font-weight: 650; border-bottom: 1px solid var(--line); }
figure { margin: 8px 0 0; }
.legend { margin-bottom: 14px; }
figcaption { font-size: 14px; font-weight: 550; }
dl { display: grid; grid-template-columns: 1fr 1fr; margin: 0; font-size: 13px; line-height: 1.4; }
dl div { display: flex; gap: 5px; }
dt { color: var(--soft); }
dd { margin: 0; }
.bar { fill: var(--bar); }
.silent { fill: var(--second); background: var(--second); }
svg .told { fill: var(--second); font-weight: 650; paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }
.tear { fill: none; stroke: var(--paper); stroke-width: 2.5; }
.mean { stroke: var(--ink); stroke-dasharray: 3 2; }
.swatch.mean { height: 0; background: none; border-top: 2px dashed var(--ink); border-radius: 0; }
@container (max-width: 460px) { dl { display: block; } dl div { justify-content: space-between; } }
`;

export default homes("cnn-bn-placement", spec, mount);
