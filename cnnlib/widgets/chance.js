// Random numbers that are the same in both languages: cnnlib/widgets/chance.py. Not for statistics
// that anything rests on, only for pictures of it.

// A function that gives the next number in [0, 1): mulberry32.
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// A function that gives the next standard normal number (Box and Muller), to 6 decimals, so that
// the last bits of logarithm and cosine, which languages differ in, do not matter.
export function normal(seed) {
  const next = uniform(seed);
  return () => {
    const u = 1 - next(), v = next();
    return Math.floor(Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v) * 1e6 + 0.5) / 1e6;
  };
}
