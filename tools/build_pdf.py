"""The whole book as one PDF, printed by Chromium from the single page: _build/cnn-building-blocks.pdf."""

import shutil
import sys
import time

from playwright.sync_api import sync_playwright
from pypdf import PdfWriter
from pypdf.generic import NameObject, TextStringObject

from tools.browser import chromium_path, launch
from tools.build_book import BUILD, build, run_builder

PDF = BUILD / "cnn-building-blocks.pdf"
# A printed page cannot be clicked: what was folded is unfolded, and the answers stand at the end.
FOR_PAPER = """() => {
  document.documentElement.dataset.theme = "light";
  // Only the article is printed: what is hidden on paper would still be in the outline. What is around it goes
  // and the article stays where it is, as moved widgets would draw themselves anew.
  for (let kept = document.querySelector("article.bd-article"); kept !== document.body; kept = kept.parentElement) {
    for (const other of [...kept.parentElement.childNodes]) if (other !== kept) other.remove();
  }
  document.querySelector("h1").style.setProperty("display", "block", "important");  // the theme hides it on paper
  for (const fold of document.querySelectorAll("details")) {
    if (fold.matches(".cell_input details, details.hide")) fold.remove();
    else fold.open = true;
  }
  // The single page names a place in another chapter by file, chapter and place.
  for (const link of document.querySelectorAll("a[href]")) {
    if (link.protocol !== "file:") continue;
    const place = link.hash.replace(/^#.*#/, "#");
    if (document.getElementById(decodeURIComponent(place.slice(1)))) link.setAttribute("href", place);
    else link.removeAttribute("href");
  }
  const list = document.createElement("section");
  list.innerHTML = "<h2>Answers to the self-checks</h2>";
  let last;
  for (const form of document.querySelectorAll("form.quiz")) {
    const chapter = form.closest(".toctree-wrapper > section");
    if (chapter !== last) {
      const title = document.createElement("h3");
      title.textContent = chapter.querySelector("h2").innerText.replace(/#$/, "");
      list.append(title);
      last = chapter;
    }
    const why = form.querySelector(".quiz-why[data-right=true]");
    const answer = form.querySelector("[data-answer]")?.dataset.answer
      ?? form.querySelector(`input[value="${why.dataset.for}"]`).closest("label").innerText;
    const label = document.createElement("strong");
    label.textContent = `${form.querySelector(".quiz-label").innerText}: ${answer.trim().replace(/[.]$/, "")}. `;
    const line = document.createElement("p");
    line.append(label, ...[...why.childNodes].slice(1).map((node) => node.cloneNode(true)));
    list.append(line);
  }
  const wrapper = document.createElement("div");
  wrapper.className = "toctree-wrapper";
  wrapper.append(list);
  document.querySelector("article.bd-article").append(wrapper);
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
  .map((heading) => heading.textContent.replace(/#$/, "").replace(/\\s+/g, " ").trim())"""
FOOTER = (
    '<div style="width:100%;font:9px sans-serif;color:#555;padding:0 18mm;display:flex;justify-content:space-between">'
    '<span>CNN Building Blocks</span><span><span class="pageNumber"></span> / <span class="totalPages"></span></span></div>'
)


def name_outline(titles: list[str]) -> None:
    """Write the headings' own words into the outline.

    Chromium loses the space at which a heading is broken into lines, and writes a heading twice
    that it moved to the next page.
    """
    writer = PdfWriter(PDF, incremental=True)  # the old file and, behind it, what has changed

    def entries(node):
        child = node.get("/First")
        while child is not None:
            yield (entry := child.get_object())
            yield from entries(entry)
            child = entry.get("/Next")

    for entry, title in zip(entries(writer.root_object["/Outlines"]), titles, strict=True):
        entry[NameObject("/Title")] = TextStringObject(title)
    writer.write(PDF)


def print_book() -> int:
    browser = chromium_path()
    if browser is None:
        print(
            "The PDF is printed by Chromium: install it, for instance 'sudo apt-get install chromium'.",
            file=sys.stderr,
        )
        return 1
    # The pages first: that forgets executed cells whose library has changed since.
    if code := build(cold=False) or run_builder("singlehtml"):
        return code
    # Sphinx writes the addresses of styles and pictures as seen from the builder's root.
    single = BUILD / "singlehtml/whole.html"
    shutil.copy(single.with_name("book") / "index.html", single)
    print("Printing …", flush=True)
    start = time.perf_counter()
    with sync_playwright() as playwright:
        chromium = launch(playwright, browser)
        page = chromium.new_page(viewport={"width": 900, "height": 1200})
        page.goto(single.as_uri())  # to its end: the network may be idle before all is parsed
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        page.evaluate(FOR_PAPER)
        page.emulate_media(media="print")
        titles = page.evaluate(HEADINGS)
        page.pdf(
            path=PDF,
            format="A4",
            margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
            scale=0.8,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
            outline=True,
            tagged=True,
        )
        chromium.close()
    name_outline(titles)
    print(f"Printed in {time.perf_counter() - start:.0f} s: {PDF.relative_to(BUILD.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(print_book())
