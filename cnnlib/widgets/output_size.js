// Output-size calculator: how many windows fit along an axis, and which pixels none of them reads.

import { grouped, html, legend, math, say, svg, table, tell } from "./elements.js";
import { frame, homes } from "./shared.js";
import { convParams, coverage, exactOutputSize, measure, nearestFit, nearestValid, outputSize, unseen } from "./shapes.js";
import spec from "./output_size.json" with { type: "json" };

// --- sentences; output_size.py writes the same ones, and a test compares them -----------------------

// A fraction to four decimals, computed with integers so that both languages round alike.
function decimal({ numerator, denominator }) {
  const sign = numerator < 0 ? "−" : "";
  const parts = Math.floor((2 * 10000 * Math.abs(numerator) + denominator) / (2 * denominator));
  const digits = String(parts % 10000).padStart(4, "0").replace(/0+$/, "");
  const about = (10000 * numerator) % denominator ? "≈ " : "";
  return `${about}${sign}${Math.floor(parts / 10000)}${digits && "."}${digits}`;
}

const reachText = ({ kernel, dilation }) => (dilation === 1 ? `${kernel}` : `(${dilation}·(${kernel} − 1) + 1)`);
const pixels = (count) => (count === 1 ? "1 pixel" : `${grouped(count)} pixels`);

// Unread pixels of one axis: at the far edge, and between the taps.
function unread(values) {
  const edge = unseen(values);
  return { edge, between: coverage(values).filter((count) => count === 0).length - edge };
}

export function verdict(values) {
  const m = measure(values);
  if (!m.fits) return `The window reaches across ${pixels(m.reach)}, but the padded input has only ${grouped(m.padded)}: it does not fit.`;
  const windows = outputSize(values, "floor");
  const { edge, between } = unread(values);
  const holes = between ? ` ${pixels(between)} between the ${m.dilation === 1 ? "windows" : "taps"} ${between === 1 ? "is" : "are"} never read.` : "";
  if (m.tiles) {
    return (windows === 1
      ? "One window covers the padded input exactly: the output size is 1."
      : `${grouped(windows)} windows tile the padded input exactly: the output size is ${grouped(windows)}.`) + holes;
  }
  const exact = decimal(exactOutputSize(values)).replace("≈ ", "About ");
  const lost = edge === 0 ? "leaves out nothing but zeros of the padding"
    : `never reads the last ${edge === 1 ? "pixel" : pixels(edge)}`;
  return `${exact} is not a whole number: the windows do not tile the input. The strict rule refuses; PyTorch floors to ${grouped(windows)} and ${lost}.${holes}`;
}

export function facts(values) {
  const m = measure(values), exact = decimal(exactOutputSize(values));
  const { kernel, in_channels: depth, out_channels: filters } = values;
  const sum = `(${m.size} − ${reachText(m)} + 2·${values.padding})/${m.stride} + 1`;
  const windows = m.fits ? outputSize(values, "floor") : 0;
  const gaps = m.fits ? Object.values(unread(values)).reduce((a, b) => a + b) : 0;
  const near = Object.entries(suggestions(values)).filter(([, found]) => found.length);
  return [
    ["Formula", `${sum} ${exact.startsWith("≈") ? exact : `= ${exact}`}`],
    ["Strict rule", m.tiles ? grouped(windows) : m.fits ? "refused: not a whole number" : "refused: the window does not fit"],
    ["Floored, as PyTorch does", m.fits ? grouped(windows) : "none"],
    ["Rounded up (ceil mode of pooling)", m.fits ? grouped(outputSize(values, "ceil")) : "none"],
    ["Pixels never read", !m.fits ? "all" : gaps === 0 ? "none"
      : `${grouped(gaps)} of ${grouped(m.size)} along the axis; ${grouped(m.size ** 2 - (m.size - gaps) ** 2)} of ${grouped(m.size ** 2)} in a square image`],
    ["Output volume (K × height × width)", m.fits ? `${grouped(filters)} × ${grouped(windows)} × ${grouped(windows)}` : "none"],
    ["Parameters, weights and biases", `(${kernel}·${kernel}·${depth} + 1)·${filters} = ${grouped(convParams(depth, filters, kernel))}`],
    [`Nearest settings that ${m.fits ? "tile" : "fit"}`, m.tiles ? "these" : near.map(([name, found]) => `${name} ${found.join(" or ")}`).join("; ")],
  ];
}

// Per setting, the values that would mend it: {size: [223, 227], stride: […], …}.
function suggestions(values) {
  const fits = measure(values).fits;
  const { sizes, strides = [], paddings, kernels, dilations = [] } = fits ? nearestValid(values) : nearestFit(values);
  return { size: sizes, stride: strides, padding: paddings, kernel: kernels, dilation: dilations };
}

// --- the drawing ---------------------------------------------------------------------------------

const CELL = { least: 13, most: 42, height: 28 };
const BAR = { height: 14, gap: 3, most: 12 };
const BREAK = 22;

// The stretches of the axis that fit into `width`: all of it, or both its ends.
function stretches(begin, end, wanted, width) {
  if ((end - begin) * CELL.least <= width) return { parts: [[begin, end]], cell: Math.min(CELL.most, width / (end - begin)) };
  const room = Math.max(8, Math.floor((width - BREAK) / CELL.least));
  const tail = Math.min(Math.max(wanted, Math.floor(room / 2)), room - 4);
  return { parts: [[begin, begin + room - tail], [end - tail, end]], cell: CELL.least };
}

// Which windows to draw, and in which lane: all of them, or the first and the last few.
function lanes(count, overlap) {
  if (overlap <= BAR.most) return { used: Math.min(overlap, count), lane: (window) => window % overlap };
  const half = BAR.most / 2;
  if (count <= BAR.most) return { used: count, lane: (window) => window };
  return { used: BAR.most, lane: (window) => (window < half ? window : window >= count - half ? window - count + BAR.most : null) };
}

function drawing(values, width) {
  const m = measure(values);
  const windows = m.fits ? outputSize(values, "floor") : 0;
  const counts = m.fits ? coverage(values) : new Array(m.size).fill(0);
  const begin = -m.before, edge = m.size + m.after;
  // The first window that is left out, if it would start before the edge.
  const next = !m.tiles && windows * m.stride + begin < edge ? windows * m.stride + begin : null;
  const end = next === null ? edge : next + m.reach;
  const last = (windows - 1) * m.stride + begin;
  const { parts, cell } = stretches(begin, end, end - last + m.stride, width);
  const drawn = windows + (next === null ? 0 : 1);
  const { used, lane } = lanes(drawn, Math.ceil(m.reach / m.stride));
  const top = used * (BAR.height + BAR.gap) + 4;
  const bottom = top + CELL.height;

  const place = (position, part) => (position - parts[part][0]) * cell + (part ? (parts[0][1] - parts[0][0]) * cell + BREAK : 0);
  const shapes = { bands: [], cells: [], bars: [], texts: [] };
  const text = (x, y, content, cls, anchor = "middle") => shapes.texts.push(svg("text", { x, y, class: cls, "text-anchor": anchor }, content));

  parts.forEach((range, part) => {
    const bars = [];
    for (let position = range[0]; position < range[1]; position += 1) {
      const x = place(position, part), pad = position < 0 || position >= m.size;
      if (position >= edge) {
        shapes.cells.push(svg("rect", { x: x + 1.5, y: top + 0.5, width: cell - 3, height: CELL.height - 1, rx: 2, class: "next" }));
        continue;
      }
      const count = pad ? 0 : counts[position], lost = !pad && count === 0;
      if (lost) shapes.bands.push(svg("rect", { x, y: 0, width: cell, height: bottom, class: "lost-band" }));
      shapes.cells.push(svg("rect", { x: x + 1, y: top, width: cell - 2, height: CELL.height, rx: 2, class: pad ? "pad" : lost ? "lost" : "pixel" }));
      const kind = pad ? "zero" : lost ? "lost-count" : "count";
      if (String(count).length * 6.3 < cell) text(x + cell / 2, top + 18, String(count), `${kind}${cell < 18 ? " small" : ""}`);
      const isEnd = position === 0 || position === m.size - 1;
      const atBreak = parts.length > 1 && position === (part ? range[0] : range[1] - 1);
      if (!pad && (isEnd || cell >= 24 || (atBreak && Math.min(position, m.size - 1 - position) > 3))) text(x + cell / 2, bottom + 14, String(position), lost ? "lost-index" : "index");
    }
    for (let window = 0; window < drawn; window += 1) {
      const row = lane(window), start = window * m.stride + begin, left = start === next;
      if (row === null || start + m.reach <= range[0] || start >= range[1]) continue;
      const y = row * (BAR.height + BAR.gap), cls = left ? "next" : "bar";
      const end = start + m.reach, middle = y + BAR.height / 2;
      const taps = m.dilation === 1 ? [[start, end]] : Array.from({ length: m.kernel }, (_, tap) => [start + tap * m.dilation, start + tap * m.dilation + 1]);
      if (m.dilation > 1) bars.push(svg("line", { x1: place(start, part) + 2, x2: place(end, part) - 2, y1: middle, y2: middle, class: `${cls}-thread` }));
      for (const [a, b] of taps) bars.push(svg("rect", { x: place(a, part) + 1.5, y: y + 0.5, width: (b - a) * cell - 3, height: BAR.height - 1, rx: 3, class: cls }));
      // The number stands in the middle of what is seen of the window.
      const label = grouped(window);
      const seen = taps.map(([a, b]) => [Math.max(a, range[0]), Math.min(b, range[1])]).find(([a, b]) => label.length * 5.6 + 4 < (b - a) * cell);
      if (seen) text((place(seen[0], part) + place(seen[1], part)) / 2, y + 10.5, label, `${cls}-label`);
    }
    // Windows that run into the break are cut there, a little beyond the last pixel.
    const cut = (parts.length > 1) * (BREAK / 2 - 4), x = place(range[0], part) - part * cut, wide = (range[1] - range[0]) * cell + cut;
    shapes.bars.push(svg("svg", { class: "part", x, y: 0, width: wide, height: top, viewBox: `${x} 0 ${wide} ${top}` }, bars));
  });
  if (parts.length > 1) text(place(parts[0][1], 0) + BREAK / 2, top + 18, "⋯", "break");

  const height = bottom + 20, total = place(parts.at(-1)[1], parts.length - 1);
  const hidden = used < drawn && lane(Math.floor(drawn / 2)) === null;
  return { hidden, lost: counts.includes(0), next: next === null ? null : { window: windows, missing: end - edge }, picture: svg("svg", {
    width: total, height, viewBox: `0 0 ${total} ${height}`, role: "img", "aria-label": description(values, windows),
  }, shapes.bands, shapes.cells, shapes.bars, shapes.texts) };
}

function description(values, windows) {
  const m = measure(values);
  if (!m.fits) return verdict(values);
  const counts = coverage(values);
  const few = counts.length <= 32 ? ` Windows that read each pixel: ${counts.join(", ")}.` : "";
  return `One axis of ${pixels(m.size)}${m.before ? ` with ${m.before} zeros on each side` : ""}, and ${grouped(windows)} windows, ${pixels(m.reach)} wide, ${pixels(m.stride)} apart.${few}`;
}

function key({ lost, next, hidden }, values) {
  const m = measure(values);
  return legend(
    m.fits && ["bar", hidden ? "windows, the first and the last few" : "windows, numbered from 0"],
    m.fits && ["pixel", "pixels, each with the number of windows that read it"],
    m.before && ["pad", "zero padding"],
    lost && ["lost", "pixels that no window reads"],
    next && ["next", `${m.fits ? `window ${grouped(next.window)} would lack` : "the window lacks"} ${pixels(next.missing)}`]);
}

// --- the widget ----------------------------------------------------------------------------------

function formula(values) {
  const m = measure(values);
  const mo = (sign) => math("mo", {}, sign), mi = (name) => math("mi", {}, name), mn = (number) => math("mn", {}, String(number));
  const row = (...parts) => math("mrow", {}, ...parts);
  const reach = (d, f) => (m.dilation === 1 ? f : row(mo("("), d, mo("·"), mo("("), f, mo("−"), mn(1), mo(")"), mo("+"), mn(1), mo(")")));
  const side = (w, f, p, s, d) => [math("mfrac", {}, row(w, mo("−"), reach(d, f), mo("+"), mn(2), p), s), mo("+"), mn(1)];
  const show = (...parts) => math("math", { displaystyle: "true" }, row(...parts));
  const exact = decimal(exactOutputSize(values)), about = exact.startsWith("≈");
  const numbers = side(mn(m.size), mn(m.kernel), row(mo("·"), mn(values.padding)), mn(m.stride), mn(m.dilation));
  const answer = math("mn", {}, exact.replace("≈ ", ""));
  return [
    show(...side(mi("W"), mi("F"), mi("P"), mi("S"), mi("d"))),
    html("span", { class: "numbers" }, show(mo("="), ...numbers), show(mo(about ? "≈" : "="), answer)),
  ];
}

export function mount(root, store) {
  const sum = html("div", { class: "formula" });
  const answer = html("output", { class: "verdict", tabindex: -1 });
  const volume = html("p", { class: "unseen", role: "status" });
  const remedies = html("div", { class: "choices remedies", role: "group", "aria-label": "Nearest settings" });
  const figure = html("figure", {});
  const results = html("div", { class: "results" });

  const remedy = (values, name, value) => {
    const setting = spec.settings.find((s) => s.name === name);
    if (value < setting.minimum || value > setting.maximum) return null;
    const size = outputSize({ ...values, [name]: value }, "floor");
    const label = `${name} ${grouped(value)} → ${grouped(size)}`;
    return html("button", {
      type: "button",
      // The button is gone after the press: the answer takes the focus.
      onclick: () => { store.set({ [name]: value }); answer.focus({ preventScroll: true }); },
    }, label);
  };
  const draw = () => {
    const values = store.values();
    const result = drawing(values, figure.clientWidth || 640);
    figure.replaceChildren(result.picture, key(result, values));
  };
  const update = () => {
    const values = store.values(), m = measure(values);
    sum.replaceChildren(...formula(values));
    tell(answer, verdict(values), !m.tiles);
    const buttons = m.tiles ? [] : Object.entries(suggestions(values)).flatMap(([name, found]) => found.map((value) => remedy(values, name, value)));
    remedies.replaceChildren(...(buttons.length ? [html("span", {}, `${m.fits ? "Nearest that tile" : "What would fit"} (→ output size):`), ...buttons.filter(Boolean)] : []));
    remedies.hidden = buttons.length === 0;
    draw();
    const rows = facts(values).slice(1, -1);
    results.replaceChildren(table(rows));
    say(volume, rows.slice(-2).map((row) => `${row.join(": ")}. `).join(""));
  };

  const { body, refresh, close } = frame(root, spec, store, update);
  body.append(html("style", {}, LOOK), sum, answer, volume, remedies, figure, results);
  refresh();
  const observer = new ResizeObserver(draw);
  observer.observe(figure);
  return () => { observer.disconnect(); close(); };
}

const LOOK = `
.formula, .numbers { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 7px; }
.formula { min-height: 52px; }
mfrac > * { padding: 1px 3px 2px; }
.remedies { margin-top: 10px; font-size: 14px; color: var(--soft); }
svg .part { overflow: hidden; max-width: none; }
.pixel { fill: var(--pixel); background: var(--pixel); }
.pad { fill: none; stroke: var(--edge); stroke-width: .8; }
.lost { fill: var(--bad-strong); background: var(--bad-strong); }
.lost-band { fill: var(--bad-fill); }
.bar { fill: var(--bar); background: var(--bar); }
.bar-thread { stroke: var(--bar); stroke-width: 2; }
.next { fill: none; stroke: var(--bad-strong); stroke-dasharray: 2.5 2; }
.next-thread { stroke: var(--bad-strong); stroke-width: 1.5; stroke-dasharray: 3 2; }
svg .bar-label { fill: var(--on-bar); font-size: 10px; }
svg .next-label { fill: var(--bad); font-size: 10px; }
svg .zero, svg .index { fill: var(--soft); }
svg .small { font-size: 10.5px; }
svg .index, svg .lost-index { font-size: 11px; }
svg .lost-index { fill: var(--bad); font-weight: 650; }
svg .lost-count { fill: var(--paper); font-weight: 700; }
svg .break { fill: var(--soft); font-size: 16px; }
.swatch.pad { background: none; border: 1px solid var(--edge); }
.swatch.next { background: none; border: 1px dashed var(--bad-strong); }
`;

export default homes("cnn-output-size", spec, mount);
