// The arithmetic of cnnlib/shapes.py, one axis at a time. tests/widgets holds the two equal.

// Padding is a number for both sides, or [before, after].
function axis({ size, kernel, stride = 1, padding = 0, dilation = 1 }) {
  const [before, after] = Array.isArray(padding) ? padding : [padding, padding];
  const reach = effectiveKernel(kernel, dilation);
  const padded = before + size + after;
  return { size, kernel, stride, before, after, dilation, reach, padded, span: padded - reach };
}

// The same axis, refused if the window is larger than the padded input.
function fitting(settings) {
  const a = axis(settings);
  if (a.span < 0) throw new RangeError(`the window needs ${a.reach} pixels, the padded input has ${a.padded}`);
  return a;
}

// Pixels that a dilated kernel reaches across.
export function effectiveKernel(kernel, dilation = 1) {
  return dilation * (kernel - 1) + 1;
}

// Everything about one axis that a widget shows; `span` is negative when the window does not fit.
export function measure(settings) {
  const a = axis(settings);
  const leftOver = ((a.span % a.stride) + a.stride) % a.stride;
  return { ...a, leftOver, fits: a.span >= 0, tiles: a.span >= 0 && leftOver === 0 };
}

// The unrounded result of the formula, as a fraction. Negative or zero when the window does not fit.
export function exactOutputSize(settings) {
  const a = axis(settings);
  return { numerator: a.span + a.stride, denominator: a.stride };
}

// rounding: "strict" (refuses with a RangeError), "floor" or "ceil".
export function outputSize(settings, rounding = "strict") {
  const a = fitting(settings);
  const windows = Math.floor(a.span / a.stride) + 1;
  const leftOver = a.span % a.stride;
  if (rounding === "floor" || (rounding === "strict" && leftOver === 0)) return windows;
  if (rounding === "strict") throw new RangeError("the windows do not tile the padded input");
  if (rounding !== "ceil") throw new RangeError(`unknown rounding ${rounding}`);
  // A last window that sticks out must start inside the input or the padding before it.
  return leftOver && windows * a.stride < a.before + a.size ? windows + 1 : windows;
}

// How many windows read each pixel, floored.
export function coverage(settings) {
  const a = fitting(settings);
  const counts = new Array(a.size).fill(0);
  for (let start = -a.before; start + a.reach <= a.size + a.after; start += a.stride) {
    for (let tap = 0; tap < a.kernel; tap += 1) {
      const position = start + tap * a.dilation;
      if (position >= 0 && position < a.size) counts[position] += 1;
    }
  }
  return counts;
}

// Pixels at the far edge that no window reaches, floored. Padding is dropped before pixels are.
export function unseen(settings) {
  const a = fitting(settings);
  return Math.min(a.size, Math.max(0, (a.span % a.stride) - a.after));
}

// The nearest values below and above, changing one setting at a time, for which the windows tile.
export function nearestValid(settings) {
  const a = fitting(settings);
  const good = (name, value) => {
    const change = name === "padding" ? { padding: value } : { padding: [a.before, a.after], [name]: value };
    return measure({ ...settings, ...change }).tiles;
  };
  const search = (name, given, low, high) => {
    if (measure(settings).tiles) return [given];
    const found = [];
    for (let v = given - 1; v >= low; v -= 1) if (good(name, v)) { found.push(v); break; }
    for (let v = given + 1; v <= high; v += 1) if (good(name, v)) { found.push(v); break; }
    return found;
  };
  return {
    sizes: search("size", a.size, 1, a.size + a.stride),
    strides: search("stride", a.stride, 1, Math.max(a.span, 1)),
    paddings: a.before === a.after
      ? search("padding", a.before, 0, Math.max(Math.floor(a.reach / 2), a.before)) : [],
    kernels: search("kernel", a.kernel, 1, a.kernel + a.stride),
  };
}

// The smallest change of one setting that lets the window fit (the value itself where it does).
export function nearestFit(settings) {
  const a = axis(settings);
  if (a.span >= 0) return { sizes: [a.size], paddings: [a.before], kernels: [a.kernel], dilations: [a.dilation] };
  const shrinks = a.dilation > 1 && a.padded >= a.kernel;
  return {
    sizes: [a.size - a.span],
    paddings: [Math.ceil((a.before + a.after - a.span) / 2)],
    kernels: [Math.floor((a.padded - 1) / a.dilation) + 1],
    dilations: shrinks ? [Math.floor((a.padded - 1) / (a.kernel - 1))] : [],
  };
}

// Theoretical receptive field of a stack of { kernel, stride, padding, dilation }, from the input on:
// its size and the jump from neuron to neuron, in pixels, and the centre of the first neuron's field.
export function receptiveField(layers) {
  return layers.reduce(({ size, jump, start }, { kernel, stride = 1, padding = 0, dilation = 1 }) => {
    const more = effectiveKernel(kernel, dilation) - 1;
    return { size: size + more * jump, jump: jump * stride, start: start + (more / 2 - padding) * jump };
  }, { size: 1, jump: 1, start: 0 });
}

// Learned numbers of a CONV layer.
export function convParams(inChannels, outChannels, kernel, { groups = 1, bias = true } = {}) {
  if (inChannels % groups || outChannels % groups) throw new RangeError("channels are not divisible by groups");
  return (kernel * kernel * (inChannels / groups) + (bias ? 1 : 0)) * outChannels;
}
