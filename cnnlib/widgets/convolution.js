// Convolution stepper: one window after the other, its products, its sum, and the map that fills up.

import { grouped, html, legend, svg, table, tell } from "./elements.js";
import { grid, GRID } from "./grid.js";
import { player } from "./player.js";
import { frame, homes } from "./shared.js";
import { measure, outputSize, unseen } from "./shapes.js";
import spec from "./convolution.json" with { type: "json" };

// --- arithmetic; cnnlib.reference.conv2d has the same results, and a test compares them ---------------

const range = (count) => Array.from({ length: count }, (_, index) => index);
const square = (side, make) => range(side * side).map((index) => make(Math.floor(index / side), index % side));
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const within = (y, x, low, high) => Math.min(y, x) >= low && Math.max(y, x) < high;
// A list that is too short begins anew, as numpy.resize has it.
const resized = (list, length) => range(length).map((index) => list[index % list.length]);

// Everything that the settings say about the filter that is shown.
export function layer(values, data) {
  const { kernel, stride, padding, dilation, channels, filters } = values, photo = values.image === "photograph";
  const size = photo ? Math.sqrt(data.photograph.length) : values.size, axis = { size, kernel, stride, padding, dilation };
  const pixels = resized(photo ? data.photograph : values.pixels, channels * size * size);
  const weights = resized(values.weights, filters * channels * kernel * kernel);
  const m = measure(axis), side = m.fits ? outputSize(axis, "floor") : 0, windows = side * side;
  const filter = Math.min(values.shown, filters) - 1, step = Math.max(0, Math.min(values.step, windows - 1));
  const pixel = (c, y, x) => (within(y, x, 0, size) ? pixels[(c * size + y) * size + x] : 0);
  const weight = (c, i, j, flip) => (flip ? weight(c, kernel - 1 - i, kernel - 1 - j) : weights[((filter * channels + c) * kernel + i) * kernel + j]);
  // Window `at` on channel c: for each weight its place in the image, the pixel there, their product.
  const taps = (at, c, flip = values.flip) => square(kernel, (i, j) => {
    const y = Math.floor(at / side) * stride - padding + i * dilation, x = (at % side) * stride - padding + j * dilation;
    const tap = { y, x, pixel: pixel(c, y, x), weight: weight(c, i, j, flip) };
    return { ...tap, product: tap.pixel * tap.weight };
  });
  const sums = (at, flip) => range(channels).map((c) => total(taps(at, c, flip).map(({ product }) => product)));
  const map = () => range(windows).map((at) => total(sums(at)));
  return { ...m, photo, side, windows, filter, step, channels, pixels, weights, pixel, weight, taps, sums, map };
}

// A change of settings with what else changes then: pixels and weights stay in their places, a larger
// image repeats itself, a larger kernel has zeros around; another shape begins at its first window,
// or shows the whole output of a photograph.
export function settled(old, change, data) {
  const next = { ...old, ...change }, more = {}, { pixels, weights, channels } = layer(old, data);
  const differ = (...names) => names.some((name) => next[name] !== old[name]);
  if (differ("size")) {
    more.pixels = range(channels).flatMap((c) => square(next.size, (y, x) => pixels[(c * old.size + (y % old.size)) * old.size + (x % old.size)]));
  }
  if (differ("kernel", "channels")) {
    const F = old.kernel, shift = Math.floor(next.kernel / 2) - Math.floor(F / 2);
    const slices = range(old.filters).flatMap((k) => range(next.channels).map((c) => k * channels + (c % channels)));
    more.weights = slices.flatMap((slice) => square(next.kernel, (y, x) => (within(y - shift, x - shift, 0, F) ? weights[(slice * F + y - shift) * F + x - shift] : 0)));
  }
  if (differ("image", "size", "channels", "kernel", "stride", "padding", "dilation")) more.step = next.image === "photograph" ? Math.max(0, layer(next, data).windows - 1) : 0;
  return { ...more, ...change };
}

// --- sentences; convolution.py writes the same ones, and a test compares them -------------------------

const added = (terms) => terms.map((term, index) => (index ? (term < 0 ? " − " : " + ") + grouped(Math.abs(term)) : grouped(term))).join("");
const place = ({ side, step }) => `row ${Math.floor(step / side) + 1}, column ${(step % side) + 1}`;
const sides = (channels, side) => `${channels} × ${side} × ${side}`;

export function verdict(values, data) {
  const l = layer(values, data), { windows, step } = l;
  if (!l.fits) return `The window reaches across ${l.reach} pixels, but the padded input has only ${l.padded}: it does not fit.`;
  const flipped = values.flip ? ", with the kernel flipped" : "", whole = values.filters > 1 ? `map ${l.filter + 1}` : "the output";
  return `Window ${step + 1} of ${windows} gives ${grouped(total(l.sums(step)))}${flipped}: it goes to ${place(l)} of ${whole}${step === windows - 1 ? ", which is full now" : ""}.`;
}

export function facts(values, data) {
  const l = layer(values, data), { side, step, channels, size } = l, sums = l.sums(step), map = l.map();
  const terms = channels > 1 ? sums : l.taps(step, 0).map(({ product }) => product);
  const here = (flip) => grouped(total(l.sums(step, flip)));
  const row = (y) => map.slice(y * side, y * side + side).map(grouped).join("  ");
  const rows = [
    ["Output (K × height × width)", () => sides(values.filters, side)],
    ["Sum of the products", () => `${added(terms)} = ${grouped(total(sums))}${channels > 1 ? ", a sum for each channel" : ""}`],
    ["Deep learning: kernel as it is", () => here(false)],
    ["Mathematics: kernel flipped", () => here(true)],
    ["Last rows and columns never read", () => `${unseen({ ...values, size }) || "none"}`],
    [`Map of filter ${l.filter + 1}`, () => (side > 7 ? `${side} × ${side} numbers from ${grouped(Math.min(...map))} to ${grouped(Math.max(...map))}` : range(side).map(row).join("; "))],
  ];
  return [
    ["Input (D × height × width)", sides(channels, size) + (values.padding ? `, with its zeros ${sides(channels, l.padded)}` : "")],
    ...rows.map(([label, text]) => [label, l.fits ? text() : "none"]),
  ];
}

// --- the pictures --------------------------------------------------------------------------------

// Cells as greys; null leaves one out. `outlines` are [row, column, side].
function picture(label, side, greys, outlines) {
  const cell = (y, x, wide, attributes) => svg("rect", { x: x * 10, y: y * 10, width: wide * 10, height: wide * 10, ...attributes });
  return svg("svg", { class: "picture", viewBox: `0 0 ${side * 10} ${side * 10}`, role: "img", "aria-label": label },
    greys.map((grey, at) => cell(Math.floor(at / side), at % side, 1, { "data-at": at, fill: grey === null ? "transparent" : `rgb(${grey},${grey},${grey})` })),
    outlines.flatMap((outline) => ["halo", "outline"].map((cls) => cell(...outline, { class: cls }))));
}

// What stands under a name in the stage; show(null) hides it.
function part(...content) {
  const name = html("p", { class: "name" }), node = html("div", { class: "part" }, name, content);
  return { node, show: (words) => { name.textContent = words; node.hidden = words === null; } };
}

// Image, kernel and products of channel c; `edit` hears [the setting, place in its list, number].
function channel(c, edit) {
  let l;
  const editor = (label, name, at) => grid(`${label}, channel ${c + 1}`, {
    kind: "edit", limits: spec.settings.find((setting) => setting.name === name), act: (index, number) => edit(name, at(index), number),
  });
  const pixels = editor("Pixels", "pixels", (index) => (c * l.size + Math.floor(index / l.padded) - l.before) * l.size + (index % l.padded) - l.before);
  const weights = editor("Kernel", "weights", (index) => (l.filter * l.channels + c) * l.kernel ** 2 + index);
  const flipped = grid(`Flipped kernel, channel ${c + 1}`), products = grid(`Products, channel ${c + 1}`);
  products.node.classList.add("products");
  const photo = html("div", {}), sum = html("p", { class: "sum" });
  const image = part(pixels.node, photo), kernel = part(weights.node), turned = part(flipped.node), result = part(products.node, sum);
  const node = html("div", { class: "channel" }, image.node, html("div", { class: "channel" }, kernel.node, turned.node, result.node));

  function show(now, flip) {
    l = now;
    const { padded, before } = l, of = l.channels > 1 ? ` ${c + 1}` : "", taps = l.fits ? l.taps(l.step, c) : [];
    const values = square(padded, (y, x) => l.pixel(c, y - before, x - before));
    pixels.node.hidden = l.photo;
    if (l.photo) {
      const apart = l.dilation > 1, outlines = taps.slice(0, apart ? undefined : 1).map(({ y, x }) => [y + before, x + before, apart ? 1 : l.kernel]);
      photo.replaceChildren(picture(`A man with a camera, ${l.size} by ${l.size} pixels. The window is outlined.`, padded, values, outlines));
    } else {
      const zeros = square(padded, (y, x) => !within(y, x, before, padded - before)), marks = zeros.map((zero) => (zero ? "zero" : ""));
      for (const { y, x } of taps) marks[(y + before) * padded + x + before] += " on";
      pixels.show({ rows: padded, columns: padded, values, marks, locked: zeros });
      photo.replaceChildren();
    }
    const cells = (values, marks) => ({ rows: l.kernel, columns: l.kernel, values, marks });
    const kernels = (turn) => cells(square(l.kernel, (i, j) => grouped(l.weight(c, i, j, turn))));
    weights.show(kernels(false));
    flipped.show(kernels(true));
    products.show(cells(
      taps.map(({ pixel, weight, product }) => `${pixel}·${weight < 0 ? `(${grouped(weight)})` : weight}\n${grouped(product)}`),
      taps.map(({ product }) => (product ? "" : "empty"))));
    sum.textContent = `sum${of} = ${grouped(total(taps.map(({ product }) => product)))}`;
    image.show(of ? `Channel${of}` : "Image");
    kernel.show(of ? `Kernel, slice${of}` : "Kernel");
    turned.show(flip ? "Flipped" : null);
    result.show(l.fits ? "Pixel · weight" : null);
  }
  return { node, show };
}

// The map of the filter that is shown, filled up to the step; `act` hears which window is picked.
function outputs(act) {
  const map = grid("Output", { kind: "pick", act }), key = html("div", {});
  map.node.classList.add("map");
  const photo = html("div", { onclick: ({ target }) => { if (target.dataset.at) act(Number(target.dataset.at)); } });
  const out = part(map.node, photo);

  function show(l, title) {
    const { side, step } = l, all = l.map(), most = all.reduce((m, number) => Math.max(m, Math.abs(number)), 1);
    const until = (make, rest) => all.map((number, at) => (at <= step ? make(number, at) : rest));
    map.node.hidden = l.photo;
    photo.replaceChildren();
    out.show(l.fits ? title : null);
    if (l.photo && l.fits) {
      const greys = until((number) => Math.round(127.5 + (127.5 * number) / most), null);
      photo.append(picture(`Output, ${side} by ${side}, filled up to ${place(l)}.`, side, greys, [[Math.floor(step / side), step % side, 1]]));
    } else map.show({ rows: side, columns: side, values: until(grouped, ""), marks: until((_, at) => (at === step ? "on" : ""), "empty") });
    key.replaceChildren(legend(
      l.fits && [l.photo ? "framed" : "bar", "the window and its output"],
      l.before && !l.photo && ["zero", "zero padding"],
      l.fits && (l.photo ? ["ramp", `output: black is −${grouped(most)}, grey 0, white ${grouped(most)}`] : ["empty", "still to come: press one to go there"])));
  }
  return { node: out.node, key, show };
}

// --- the widget ----------------------------------------------------------------------------------

export function mount(root, bare) {
  const store = { ...bare, set: (change) => bare.set(settled(bare.values(), change, bare.data())) };
  const now = () => layer(store.values(), store.data());
  const steps = player(store, "step", {
    count: () => now().windows, words: (step) => `Window ${step + 1}, ${place({ ...now(), step })}`, pace: () => (now().photo ? 40 : 700),
  });
  const answer = html("output", { class: "verdict" }), results = html("div", { class: "results" });
  const filters = range(3).map((k) => html("button", { type: "button", onclick: () => store.set({ shown: k + 1 }) }, `Filter ${k + 1}`));
  const choice = html("div", { class: "choices", role: "group", "aria-label": "Filter shown" }, filters);
  const edit = (name, at, number) => store.set({ [name]: now()[name].map((old, index) => (index === at ? number : old)) });
  const rows = range(3).map((c) => channel(c, edit)), out = outputs((step) => store.set({ step }));
  const stage = html("div", { class: "stage" }, html("div", { class: "channels" }, rows.map(({ node }) => node)), out.node);

  const update = () => {
    const values = store.values(), data = store.data(), l = layer(values, data), several = values.filters > 1;
    root.getElementById("size").closest(".field").hidden = l.photo;
    const high = l.photo || l.padded > 6;
    stage.classList.toggle("high", high);
    stage.classList.toggle("single", !high && l.channels === 1);
    stage.classList.toggle("turned", values.flip);
    steps.node.hidden = !l.fits;
    steps.refresh();
    answer.setAttribute("aria-live", steps.playing() ? "off" : "polite");
    tell(answer, verdict(values, data), !l.fits);
    choice.hidden = !several;
    filters.forEach((button, k) => { button.hidden = k >= values.filters; button.setAttribute("aria-pressed", k === l.filter); });
    rows.forEach(({ node, show }, c) => { node.hidden = c >= l.channels; if (!node.hidden) show(l, values.flip); });
    out.show(l, several ? `Output, map ${l.filter + 1}` : "Output");
    results.replaceChildren(table(facts(values, data).slice(1, -1)));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, GRID + LOOK), steps.node, choice, answer, stage, out.key, results);
  refresh();
  return () => { steps.close(); close(); };
}

const LOOK = `
.stage, .channel { display: flex; flex-wrap: wrap; gap: 14px 10px; }
.stage { margin-top: 16px; }
.turned .channel .channel { max-width: 272px; }
.single:not(.turned) :is(.channels, .channel) { display: contents; }
.channels { display: grid; gap: 18px; min-width: 0; }
.high .channel .channel { flex-direction: column; }
.part { min-width: 0; max-width: 100%; overflow-x: auto; padding: 3px; margin: -3px; }
.name { font-size: 13px; font-weight: 550; color: var(--soft); margin-left: 2px; white-space: nowrap; }
.sum { font-weight: 650; text-align: right; margin: 2px; }
.legend { margin: 12px 0; }
.grid { --side: clamp(21px, calc(286px / var(--columns)), 36px); font-size: clamp(10px, calc(150px / var(--columns)), 13px); }
.grid td { width: var(--side); height: max(28px, var(--side)); }
.grid input, .grid button { height: max(28px, var(--side)); min-height: 0; }
.grid td.zero { box-shadow: none; }
.grid .zero input { border: 1px dashed var(--edge); }
.map { table-layout: auto; }
.map td { min-width: 36px; }
.map button { padding: 0 4px; white-space: nowrap; }
.grid.products { font-size: 13px; }
.products td { width: 52px; white-space: pre-line; line-height: 1.2; font-weight: 650; }
.products td::first-line { font-size: 11px; font-weight: 400; color: var(--soft); }
.products td.empty { font-weight: 400; color: var(--soft); }
.picture { width: 220px; border: 1px solid var(--line); shape-rendering: crispEdges; }
.halo, .outline { fill: none; stroke: #fff; stroke-width: 3.6; }
.outline { stroke: #0b5cad; stroke-width: 2; }
.swatch:not(.bar) { background: none; border: 1px solid var(--line); }
.swatch.zero { border: 1px dashed var(--edge); }
.swatch.framed { border: 2px solid #0b5cad; }
.swatch.ramp { background: linear-gradient(90deg, #000, #fff); }
@container (max-width: 460px) {
  .stage, .channel { gap: 12px; }
  .single :is(.channels, .channel) { display: contents; }
  .single .grid { --side: 33px; }
  .high .channel .channel { flex-direction: row; }
}
`;

export default homes("cnn-convolution", spec, mount);
