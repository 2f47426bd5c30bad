// Axes and marks for small plots; a widget says what is drawn, this where.

import { fixed, grouped, svg } from "./elements.js";

const ROOM = { left: 46, right: 10, top: 10, bottom: 36 };

// About `wanted` round numbers between two ends; powers of ten on a log axis.
export function ticks(minimum, maximum, wanted = 5) {
  const raw = (maximum - minimum) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw) ?? 10);
  const first = Math.ceil(minimum / step - 1e-9);
  return Array.from({ length: Math.floor(maximum / step + 1e-9) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function powers(minimum, maximum, wanted = 6) {
  const low = Math.ceil(Math.log10(minimum) - 1e-9), high = Math.floor(Math.log10(maximum) + 1e-9);
  const by = Math.max(1, Math.ceil((high - low + 1) / wanted));
  return Array.from({ length: Math.floor((high - low) / by) + 1 }, (_, i) => 10 ** (low + i * by));
}

const short = (number) => (Math.abs(number) >= 1e6 ? `${grouped(Number((number / (Math.abs(number) >= 1e9 ? 1e9 : 1e6)).toPrecision(4)))} ${Math.abs(number) >= 1e9 ? "bn" : "m"}`
  : Number.isInteger(number) ? grouped(number) : fixed(number, Math.min(4, Math.max(1, -Math.floor(Math.log10(Math.abs(number)))))));

// An svg with axes. x and y are { min, max, label, log, ticks: false | [values], format }; a `title`
// stands above them, and `room` changes the room left around them.
// Returns { node, x, y, clip, add }: `x` and `y` turn numbers into places, `add(...nodes)` draws
// inside the axes, and what runs out of them is cut.
let made = 0;
export function plot({ width, height, x, y, label, title, room: own }) {
  const room = { ...ROOM, ...(title && { top: 26 }), ...own };
  const left = y.ticks === false ? 12 : room.left + (y.label ? 14 : 0);
  const inner = { width: width - left - room.right, height: height - room.top - room.bottom };
  const part = ({ min, max, log }, v) => (log ? Math.log(v / min) / Math.log(max / min) : (v - min) / (max - min));
  const px = (v) => left + part(x, v) * inner.width, py = (v) => room.top + (1 - part(y, v)) * inner.height;
  const marks = ({ min, max, log, ticks: given }, wanted) => (given === false ? [] : given ?? (log ? powers(min, max) : ticks(min, max, wanted)));
  const text = (at, content, anchor, more = {}) => svg("text", { x: at[0], y: at[1], "text-anchor": anchor, class: "tick", ...more }, content);
  const floor = room.top + inner.height, name = `plot-${(made += 1)}`;
  const rule = (v) => (v === 0 ? "axis" : "rule");
  const axes = svg("g", {},
    marks(x, Math.max(3, Math.floor(inner.width / 70))).flatMap((v) => [svg("line", { x1: px(v), x2: px(v), y1: room.top, y2: floor, class: rule(v) }), text([px(v), floor + 15], (x.format ?? short)(v), "middle")]),
    marks(y, Math.max(2, Math.floor(inner.height / 36))).flatMap((v) => [svg("line", { x1: left, x2: left + inner.width, y1: py(v), y2: py(v), class: rule(v) }), text([left - 6, py(v) + 4], (y.format ?? short)(v), "end")]),
    svg("line", { x1: left, x2: left + inner.width, y1: floor, y2: floor, class: "axis" }),
    title ? text([left, 14], title, "start", { class: "heading" }) : null,
    x.label ? text([left + inner.width / 2, floor + 31], x.label, "middle") : null,
    y.label ? text([11, room.top + inner.height / 2], y.label, "middle", { transform: `rotate(-90 11 ${room.top + inner.height / 2})` }) : null);
  const inside = svg("g", { "clip-path": `url(#${name})` });
  const node = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    svg("clipPath", { id: name }, svg("rect", { x: left, y: room.top - 3, width: inner.width, height: inner.height + 6 })), axes, inside);
  return { node, x: px, y: py, add: (...nodes) => inside.append(...nodes.flat()) };
}

// A line through [x, y] points; a null point breaks it.
export function line(axes, points, cls) {
  let pen = "M";
  const d = points.map((p) => { if (!p || !Number.isFinite(p[1])) { pen = "M"; return ""; } const to = `${pen}${axes.x(p[0]).toFixed(2)} ${axes.y(p[1]).toFixed(2)}`; pen = "L"; return to; }).join("");
  return svg("path", { d, class: `line ${cls}`, fill: "none" });
}

// How many values fall into each of `bins` equal bins; what lies outside counts in the outer ones.
export function counts(values, minimum, maximum, bins) {
  const all = new Array(bins).fill(0);
  for (const v of values) all[Math.min(bins - 1, Math.max(0, Math.floor(((v - minimum) / (maximum - minimum)) * bins)))] += 1;
  return all;
}

export function histogram(axes, all, minimum, maximum, cls) {
  const wide = (maximum - minimum) / all.length;
  return all.map((count, i) => count && svg("rect", {
    x: axes.x(minimum + i * wide) + 0.5, width: Math.max(0.5, axes.x(minimum + (i + 1) * wide) - axes.x(minimum + i * wide) - 1),
    y: axes.y(count), height: axes.y(0) - axes.y(count), class: cls,
  })).filter(Boolean);
}

export const PLOT = `
.tick { font-size: 11.5px; fill: var(--soft); }
.heading { font-size: 12.5px; font-weight: 600; fill: var(--ink); }
.rule { stroke: var(--line); stroke-width: .7; }
.axis { stroke: var(--edge); }
.line { stroke: var(--bar); stroke-width: 2.2; stroke-linecap: round; }
.line.second { stroke: var(--second); }
.line.third { stroke: var(--third); }
.line.dashed { stroke-dasharray: 5 4; stroke-linecap: butt; }
`;
