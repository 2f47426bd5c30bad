// Making elements and texts: what every other module begins with.

const maker = (namespace) => (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
};
export const html = maker("http://www.w3.org/1999/xhtml");
export const svg = maker("http://www.w3.org/2000/svg");
export const math = maker("http://www.w3.org/1998/Math/MathML");

// Numbers as texts; cnnlib/widgets/base.py has the same two, and a test compares them.
// `+ 0` makes 0 of −0.
export const grouped = (number) => (number + 0).toLocaleString("en-US").replace("-", "−");

// With so many decimals, half away from zero, no "−0".
export function fixed(number, digits = 2) {
  const text = Math.abs(number).toFixed(digits);
  return number < 0 && Number(text) !== 0 ? `−${text}` : text;
}

// Change what a live region says, and only then: the same words again would be read out again.
export function say(node, ...content) {
  const next = html("div", {}, ...content);
  if (next.textContent !== node.textContent) node.replaceChildren(...next.childNodes);
}

// Show a widget's sentence: its first part strong; "refused" colours it as a warning. No line begins with "%".
export function tell(node, summary, refused = false) {
  const sentence = summary.replaceAll(" %", "\u00a0%");
  node.className = `verdict ${refused ? "refused" : "tiles"}`;
  const first = sentence.indexOf(". ") + 1 || sentence.indexOf(": ") + 1 || sentence.length;
  say(node, html("strong", {}, sentence.slice(0, first)), sentence.slice(first));
}

export function table(rows) {
  return html("table", {}, html("tbody", {}, rows.map(([label, value]) =>
    html("tr", {}, html("th", { scope: "row" }, label), html("td", {}, value)))));
}

// Rows of [swatch's class, words]; falsy ones are left out.
export function legend(...items) {
  return html("ul", { class: "legend" }, items.filter(Boolean).map(([swatch, words]) =>
    html("li", {}, html("span", { class: `swatch ${swatch}`, "aria-hidden": "true" }), words)));
}
