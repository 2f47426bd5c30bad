// AlexNet detective: which readings of the paper agree with the numbers that it prints.

import { grouped, html, table, tell } from "./elements.js";
import { convParams, exactOutputSize, outputSize, unseen } from "./shapes.js";
import { frame, homes } from "./shared.js";
import spec from "./alexnet.json" with { type: "json" };

// --- arithmetic and words; alexnet.py has the same, and a test compares them -------------------------

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// Side of the input and of every layer's maps; null from the first layer on that is refused.
export function sides({ size, before, after, rounding }) {
  const all = [size];
  spec.layers.forEach(([, kernel, stride, padding], i) => {
    const axis = { size: all[i], kernel, stride, padding: i ? padding : [before, after] };
    try { all.push(all[i] && outputSize(axis, rounding)); } catch { all.push(null); }
  });
  return all;
}

const places = (values) => spec.layers.map(([name], i) => [name, i]).filter(([name]) => name.startsWith("CONV")).map(([, i]) => sides(values)[i + 1]);

// Neurons of the five CONV layers and the three FC layers.
function neurons(values) {
  return [...places(values).map((side, i) => side && side * side * spec.widths[values.filters][i]), ...spec.fc];
}

// Two halves of the network meet in layer 3 only, and in FC.
const groups = (values, layer) => (values.halves && [1, 3, 4].includes(layer) ? 2 : 1);

function parameters(values) {
  const widths = [3, ...spec.widths[values.filters]], side = sides(values).at(-1);
  if (side === null) return null;
  const kernels = spec.layers.filter(([name]) => name.startsWith("CONV")).map(([, kernel]) => kernel);
  const features = [side * side * widths[5], ...spec.fc];
  return sum(kernels.map((kernel, i) => convParams(widths[i], widths[i + 1], kernel, { groups: groups(values, i) })))
    + sum(spec.fc.map((count, i) => convParams(features[i], count, 1)));
}

// Each clue of the paper as { label, printed, here, fits }; `here` is null where nothing comes out.
export function clues(values) {
  const [one, two, three] = places(values), all = neurons(values);
  const found = [
    values.size ** 2 * 3, 2 * (256 - values.size) ** 2,
    one, all[0], spec.widths[values.filters][0] / groups(values, 1),
    two, all[1], three, all[2], all[3], all[4],
    all.includes(null) ? null : sum(all), parameters(values),
  ];
  return spec.clues.map(([label, printed, about], i) => {
    const here = found[i];
    return { label, printed, here, fits: here !== null && (about ? Math.abs(here - printed) * 50 <= printed : here === printed) };
  });
}

const shown = (number) => (number === null ? "none" : grouped(number));

export function verdict(values) {
  const all = clues(values), against = all.filter((clue) => !clue.fits);
  const found = sides(values), stop = found.indexOf(null) - 1;
  const fit = `${all.length - against.length} of the ${all.length} printed numbers fit.`;
  if (stop < 0) return `${fit} Against it: ${against.map((clue) => grouped(clue.printed)).join("; ")}.`;
  const [name, kernel, stride, padding] = spec.layers[stop];
  const { numerator, denominator } = exactOutputSize({ size: found[stop], kernel, stride, padding: stop ? padding : [values.before, values.after] });
  return `${fit} The strict rule stops at ${name}: ${numerator / denominator} is not a whole number of windows.`;
}

export function facts(values) {
  const { size, before, after, rounding } = values, found = sides(values);
  const axis = { size, kernel: 11, stride: 4, padding: [before, after] };
  const { numerator, denominator } = exactOutputSize(axis);
  const lost = rounding === "floor" ? unseen(axis) : 0;
  return [
    ["Sides, layer by layer", found.map(shown).join(" → ")],
    ["Formula for layer 1", `(${size} − 11 + ${before} + ${after})/4 + 1 = ${numerator / denominator}`],
    ["Pixels that layer 1 never reads", found[1] === null ? "all" : lost ? `${lost} of ${size} along each axis` : "none"],
    ...clues(values).map(({ label, printed, here, fits }) => [label, `printed ${grouped(printed)}, here ${shown(here)}: ${fits ? "fits" : "does not fit"}`]),
  ];
}

// --- the widget ------------------------------------------------------------------------------------

// Squares in proportion, from the input to the last POOL.
function chain(values) {
  return html("ol", { class: "chain", "aria-label": "Sides of the maps" }, sides(values).map((side, i) =>
    html("li", {}, side && html("span", { class: "map", style: `--side: ${side}` }),
      html("b", {}, side === null ? "none" : String(side)), html("span", { class: "layer" }, i ? spec.layers[i - 1][0].slice(0, 4) : "input"))));
}

function notebook(values) {
  const row = ({ label, printed, here, fits }) => html("tr", {}, html("th", { scope: "row" }, label),
    html("td", {}, grouped(printed)), html("td", {}, shown(here)), html("td", { class: fits ? "yes" : "no" }, fits ? "✓ fits" : "✗ no"));
  const head = ["Clue", "Printed", "Here", "Fits?"].map((words) => html("th", { scope: "col" }, words));
  return html("table", { class: "clues" }, html("thead", {}, html("tr", {}, head)), html("tbody", {}, clues(values).map(row)));
}

export function mount(root, store) {
  const answer = html("output", { class: "verdict" });
  const figure = html("figure", {});
  const results = html("div", { class: "results" });
  const update = () => {
    const values = store.values();
    tell(answer, verdict(values), sides(values).includes(null));
    figure.replaceChildren(chain(values), notebook(values));
    results.replaceChildren(table(facts(values).slice(0, 3)));
  };
  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, LOOK), answer, figure, results);
  refresh();
  return close;
}

const LOOK = `
.chain { display: flex; align-items: flex-end; justify-content: space-between; list-style: none; margin: 0 0 16px; padding: 0; --scale: .5px; }
.chain li { display: grid; justify-items: center; min-width: 32px; }
.map { width: calc(var(--side) * var(--scale)); height: calc(var(--side) * var(--scale)); background: var(--pixel); border: 1px solid var(--bar); margin-bottom: 4px; }
.chain b { font-size: 13px; font-weight: 650; line-height: 1.3; }
.layer { font-size: 10.5px; color: var(--soft); line-height: 1.3; }
.clues td, .clues thead th:not(:first-child) { text-align: right; padding-left: 14px; white-space: nowrap; width: 1%; }
.clues thead th { border: 0; font-size: 13px; }
.clues tbody th { width: auto; color: var(--ink); }
.clues td:last-child, .clues thead th:last-child { text-align: left; }
.yes { color: var(--good); }
.no { color: var(--bad); font-weight: 650; }
@container (max-width: 460px) { .chain { --scale: .25px; } .clues td, .clues thead th:not(:first-child) { padding-left: 8px; } .clues { font-size: 13px; } }
`;

export default homes("cnn-alexnet", spec, mount);
