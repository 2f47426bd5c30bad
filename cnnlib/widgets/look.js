// One look for all widgets, in light, dark and print.

export const STYLE = `
:host { display: block; margin: 1.4em 0; scroll-margin-top: 5rem; }
.widget {
  --paper: #ffffff; --panel: #f5f7fa; --ink: #1f2328; --soft: #545d69; --line: #d3d9e1; --edge: #7b8694;
  --accent: #0b5cad; --bar: #0b5cad; --on-bar: #ffffff; --pixel: #dbe9f8;
  --good: #1a6b33; --bad: #a33a12; --bad-fill: #fbd9cc; --bad-strong: #b3421a; --second: #b3421a; --third: #6b4fa0; --second-fill: #fbd9cc;
  color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  font-family: inherit; font-size: 15px; font-weight: 400; line-height: 1.5;
  font-variant-numeric: tabular-nums; color-scheme: light; container-type: inline-size; position: relative; overflow: hidden; text-align: left;
}
.widget[data-mode="dark"] {
  --paper: #14181e; --panel: #1b212a; --ink: #e6e9ed; --soft: #a9b3bf; --line: #363f4b; --edge: #7f8b99;
  --accent: #7cb8f5; --bar: #7cb8f5; --on-bar: #0c1926; --pixel: #23384f;
  --good: #7fd197; --bad: #ffab8a; --bad-fill: #5a2a1a; --bad-strong: #ffab8a; --second: #ffab8a; --third: #c3a9f0; --second-fill: #5a2a1a;
  color-scheme: dark;
}
*, *::before { box-sizing: border-box; }
p { margin: 0; }
[hidden] { display: none !important; }
.head { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between; padding: 12px 18px 0; }
.title { font-weight: 650; font-size: 16px; }
.tools, .choices { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.tools { margin-right: -9px; }
.presets { padding: 10px 18px 14px; }
button {
  font: inherit; font-size: 14px; min-height: 34px; padding: 4px 12px; cursor: pointer; color: var(--ink);
  background: var(--paper); border: 1px solid var(--line); border-radius: 7px;
}
button:hover { border-color: var(--accent); color: var(--accent); }
button[aria-current], button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.tools button { border-color: transparent; color: var(--accent); padding: 4px 8px; }
.tools button:hover { border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 20px; padding: 12px 18px 14px; background: var(--panel); border-block: 1px solid var(--line); }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
legend { padding: 0; font-size: 13px; color: var(--soft); margin-bottom: 4px; }
.fields { display: flex; flex-wrap: wrap; gap: 8px; align-items: end; }
.field { min-width: 84px; }
label { display: block; font-size: 14px; font-weight: 550; white-space: nowrap; }
label i { line-height: 0; font-family: "Course Math", "STIX Two Text", Cambria, serif; font-weight: 400; font-size: 1.08em; color: var(--soft); margin-left: .1em; }
.stepper { display: flex; border: 1px solid var(--edge); border-radius: 7px; background: var(--paper); }
.stepper:focus-within { outline: 3px solid var(--accent); outline-offset: 1px; }
.stepper input {
  font: inherit; font-size: 14px; flex: 1; min-width: 0; width: 0; height: 36px; padding: 0; text-align: center; color: var(--ink);
  background: none; border: 0; outline: 0; appearance: textfield; -moz-appearance: textfield;
}
.stepper input::-webkit-inner-spin-button, .stepper input::-webkit-outer-spin-button { appearance: none; margin: 0; }
.stepper:has([aria-invalid="true"]) { border-color: var(--bad-strong); box-shadow: 0 0 0 1px var(--bad-strong); }
.stepper button { flex: none; width: 24px; padding: 0; border: 0; border-radius: 7px; background: none; color: var(--soft); font-size: 17px; }
.slide { width: 150px; display: grid; grid-template-columns: 1fr auto; column-gap: 6px; }
.slide:not(:last-child) { margin-right: 10px; }
.slide .value { font-size: 14px; color: var(--soft); }
.slide input { grid-column: 1 / -1; }
input[type="range"] { width: 100%; height: 38px; margin: 0; accent-color: var(--accent); cursor: pointer; }
.check { min-width: 0; display: flex; gap: 7px; align-items: center; min-height: 38px; margin-right: 10px; white-space: normal; cursor: pointer; }
.check input { width: 18px; height: 18px; margin: 0; accent-color: var(--accent); }
select { font: inherit; font-size: 14px; min-height: 38px; max-width: 100%; padding: 4px 8px; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 7px; }
.player { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin: 0 0 12px; }
.player button { min-width: 40px; padding: 4px 8px; font-variant-emoji: text; }
.player button[aria-disabled="true"] { color: var(--soft); opacity: .75; border-color: var(--line); cursor: default; }
.player input { flex: 1; min-width: 110px; width: auto; }
.player .value { font-size: 14px; color: var(--soft); white-space: nowrap; }
.notes { padding: 0 18px; color: var(--bad); font-size: 14px; background: var(--panel); }
.notes p:not(:empty) { padding: 8px 0; }
.notes input { font: inherit; width: min(100%, 30em); min-height: 34px; color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: 5px; }
.body { padding: 14px 18px 16px; }
.verdict { display: block; margin: 8px 0 0; padding: 2px 0 2px 12px; border-left: 4px solid var(--good); border-radius: 2px; max-width: 46em; text-wrap: pretty; }
.verdict strong { font-weight: 650; }
.verdict.refused { border-color: var(--bad-strong); }
.verdict:focus-visible { outline-offset: 4px; }
figure { margin: 18px 0 14px; min-width: 0; }
svg { display: block; max-width: 100%; font-family: inherit; overflow: visible; }
svg text { font-size: 11.5px; fill: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; list-style: none; margin: 10px 0 0; padding: 0; font-size: 13px; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: 7px; }
.swatch { flex: none; width: 18px; height: 12px; border-radius: 3px; background: var(--bar); }
.swatch.second { background: var(--second); }
.swatch.third { background: var(--third); }
math { font-family: "Course Math", "STIX Two Math", "Cambria Math", math, serif; font-size: 1.18em; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: 400; color: var(--soft); width: 42%; padding-right: 14px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@container (max-width: 460px) {
  .head, .presets, .controls, .body, .notes { padding-left: 12px; padding-right: 12px; }
  fieldset, .fields { width: 100%; }
  .fields { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 12px; }
  .field, .slide, .slide:not(:last-child) { width: auto; min-width: 0; margin: 0; }
  select { width: 100%; font-size: 16px; }
  input[type="range"], select, .check { min-height: 44px; }
  .head { gap: 4px; }
  .title { font-size: 15px; }
  button { padding: 4px 9px; }
  .tools { gap: 0; margin-left: -9px; }
  .stepper button { width: 42px; }
  .stepper input { font-size: 16px; }
  .stepper input, button { min-height: 42px; }
}
@media (prefers-reduced-motion: no-preference) { button { transition: color .12s, border-color .12s; } }
@media print {
  .widget, .widget[data-mode="dark"] {
    --paper: #fff; --panel: #fff; --ink: #000; --soft: #333; --line: #999; --edge: #666; --accent: #0b5cad; --bar: #0b5cad;
    --on-bar: #fff; --pixel: #dbe9f8; --good: #1a6b33; --bad: #a33a12; --bad-fill: #fbd9cc; --bad-strong: #b3421a; --second: #b3421a; --third: #6b4fa0; --second-fill: #fbd9cc;
    color-scheme: light; break-inside: avoid; print-color-adjust: exact; -webkit-print-color-adjust: exact;
  }
  .tools, .presets, .stepper button, .notes, .player { display: none; }
}
`;
