// AlexNet detective: which readings of the paper agree with the numbers that it prints.

import { grouped, html, table, tell } from "./elements.js";
import { convParams, exactOutputSize, outputSize, unseen } from "./shapes.js";
import { frame, homes } from "./shared.js";
import spec from "./alexnet.json" with { type: "json" };

const { convs, fc, layers, widths } = spec;

// --- arithmetic and words; alexnet.py has the same, and a test compares them -------------------------

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const shown = (number) => (number === null ? "none" : grouped(number));

// One axis of a layer that reads `size` pixels.
function axis({ before, after }, layer, size) {
  const [, kernel, stride, padding] = layers[layer];
  return { size, kernel, stride, padding: layer ? padding : [before, after] };
}

function exact(settings) {
  const { numerator, denominator } = exactOutputSize(settings);
  return numerator / denominator;
}

// Side of the input and of every layer's maps; null from the first layer on that is refused.
export function sides(values) {
  const all = [values.size];
  layers.forEach((_, i) => {
    try { all.push(all[i] && outputSize(axis(values, i, all[i]), values.rounding)); } catch { all.push(null); }
  });
  return all;
}

// Two halves of the network meet in layer 3 only, and in FC.
const groups = (values, layer) => (values.network === "paper" && [1, 3, 4].includes(layer) ? 2 : 1);

function parameters(values, side) {
  if (side === null) return null;
  const depths = [3, ...widths[values.network]], features = [side * side * depths[5], ...fc];
  return sum(convs.map((layer, i) => convParams(depths[i], depths[i + 1], layers[layer][1], { groups: groups(values, i) })))
    + sum(fc.map((count, i) => convParams(features[i], count, 1)));
}

// Each clue of the paper as { label, printed, here, fits }; `here` is null where nothing comes out.
export function clues(values) {
  const found = sides(values), depths = widths[values.network];
  const [one, two, three] = convs.map((layer) => found[layer + 1]);
  const neurons = [...convs.map((layer, i) => found[layer + 1] && found[layer + 1] ** 2 * depths[i]), ...fc];
  const here = [
    values.size ** 2 * 3, 2 * (256 - values.size) ** 2,
    one, neurons[0], depths[0] / groups(values, 1), two, neurons[1], three, ...neurons.slice(2, 5),
    neurons.includes(null) ? null : sum(neurons), parameters(values, found.at(-1)),
  ];
  // The round numbers of the abstract fit within two per cent.
  const fits = (printed, number, about) => number !== null && (about ? Math.abs(number - printed) * 50 <= printed : number === printed);
  return spec.clues.map(([label, printed, about], i) => ({ label, printed, here: here[i], fits: fits(printed, here[i], about) }));
}

export function verdict(values) {
  const all = clues(values), against = all.filter((clue) => !clue.fits);
  const found = sides(values), stop = found.indexOf(null) - 1;
  return `${all.length - against.length} of the ${all.length} printed numbers fit. ${stop < 0
    ? `Against it: ${against.map((clue) => grouped(clue.printed)).join("; ")}.`
    : `The strict rule stops at ${layers[stop][0]}: ${exact(axis(values, stop, found[stop]))} is not a whole number of windows.`}`;
}

export function facts(values) {
  const { size, before, after, rounding } = values, found = sides(values), first = axis(values, 0, size);
  const lost = rounding === "floor" ? unseen(first) : 0;
  return [
    ["Sides, layer by layer", found.map(shown).join(" → ")],
    ["Formula for layer 1", `(${size} − 11 + ${before} + ${after})/4 + 1 = ${exact(first)}`],
    ["Pixels that layer 1 never reads", found[1] === null ? "all" : lost ? `${lost} of ${size} along each axis` : "none"],
    ...clues(values).map(({ label, printed, here, fits }) => [label, `printed ${grouped(printed)}, here ${shown(here)}: ${fits ? "fits" : "does not fit"}`]),
  ];
}

// --- the widget ------------------------------------------------------------------------------------

// Squares in proportion, from the input to the last POOL.
function chain(values) {
  return html("ol", { class: "chain", "aria-label": "Sides, layer by layer" }, sides(values).map((side, i) => html("li", {},
    side && html("span", { class: "map", style: `--side: ${side}` }),
    html("b", {}, side ?? "–"), html("small", {}, i ? layers[i - 1][0].slice(0, 4) : "INPUT"))));
}

function notebook(values) {
  const head = ["Clue", "Printed", "Here", "Fits?"].map((words) => html("th", { scope: "col" }, words));
  return html("table", { class: "clues" }, html("thead", {}, html("tr", {}, head)), html("tbody", {}, clues(values).map(({ label, printed, here, fits }) =>
    html("tr", {}, html("th", { scope: "row" }, label), html("td", {}, grouped(printed)), html("td", {}, shown(here)),
      html("td", { class: fits ? "yes" : "no" }, fits ? "✓ fits" : "✗ no")))));
}

export function mount(root, store) {
  const answer = html("output", { class: "verdict" });
  const figure = html("figure", {});
  const results = html("div", { class: "results" });
  const update = () => {
    const values = store.values();
    tell(answer, verdict(values), sides(values)[1] !== 55);
    figure.replaceChildren(chain(values), notebook(values));
    results.replaceChildren(table(facts(values).slice(1, 3)));
  };
  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, LOOK), answer, figure, results);
  refresh();
  return close;
}

const LOOK = `
.chain { display: flex; align-items: flex-end; justify-content: space-between; list-style: none; margin: 0 0 14px; padding: 0; }
.chain li { display: grid; justify-items: center; min-width: 32px; }
.map { --px: calc(var(--side) * .5px); width: var(--px); height: var(--px); background: var(--pixel); border: 1px solid var(--bar); margin-bottom: 4px; }
b { font-size: 13px; line-height: 1.3; }
small { font-size: 10.5px; color: var(--soft); line-height: 1.3; }
.clues { max-width: 34em; }
.clues th { padding-right: 0; }
.clues tbody th { color: var(--ink); }
.clues td, .clues th + th { text-align: right; padding-left: 14px; white-space: nowrap; width: 1%; }
.clues :last-child { text-align: left; }
.yes { color: var(--good); }
.no { color: var(--bad); font-weight: 650; }
@container (max-width: 460px) {
  .map { --px: calc(var(--side) * .25px); }
  small { font-size: 9.5px; letter-spacing: -.2px; }
  .chain li { min-width: 27px; }
  .clues { font-size: 13px; }
  .clues td, .clues th + th { padding-left: 8px; }
}
`;

export default homes("cnn-alexnet", spec, mount);
