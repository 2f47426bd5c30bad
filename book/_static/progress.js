// The reader's progress: chapters read and self-checks passed, kept in this browser and nowhere else.
(() => {
  const KEY = "cnn-building-blocks-progress";
  const empty = () => ({ read: {}, passed: {} });
  let memory = empty(); // where a browser keeps nothing, it lasts as long as the page

  function valid(kept) {
    const dates = (part) => part && typeof part === "object" && Object.values(part).every((date) => typeof date === "string");
    return dates(kept?.read) && dates(kept?.passed);
  }

  function load() {
    try {
      const kept = JSON.parse(localStorage.getItem(KEY));
      if (valid(kept)) memory = kept;
    } catch { /* storage is switched off, or holds something else */ }
    return memory;
  }

  function save(progress) {
    memory = progress;
    try { localStorage.setItem(KEY, JSON.stringify(progress)); } catch { /* kept for this page alone */ }
    show();
  }

  const today = () => new Date().toISOString().slice(0, 10);
  const checks = (part) => part.dataset.checks.split(" ").filter(Boolean);
  const passed = (part, progress) => checks(part).filter((id) => progress.passed[id]).length;

  function showChapter(box, progress) {
    const all = checks(box).length;
    box.hidden = false;
    box.querySelector("input").checked = Boolean(progress.read[box.dataset.page]);
    box.querySelector("output").textContent = all ? `${passed(box, progress)} of ${all} self-checks passed` : "";
    for (const form of document.querySelectorAll("form.quiz")) {
      const label = form.querySelector(".quiz-label");
      label.dataset.passed = progress.passed[form.id] ? ` · passed` : "";
    }
  }

  function showTable(table, progress) {
    const rows = [...table.querySelectorAll("tr[data-page]")];
    for (const cell of table.querySelectorAll(".progress-read")) cell.hidden = false;
    for (const row of rows) {
      row.querySelector("td.progress-read").textContent = progress.read[row.dataset.page] ? "✓ read" : "–";
      row.querySelector(".progress-checks").textContent = checks(row).length ? `${passed(row, progress)} of ${checks(row).length}` : "–";
    }
    const read = rows.filter((row) => progress.read[row.dataset.page]).length;
    table.querySelector(".progress-actions").hidden = false;
    return `${read} of ${rows.length} chapters read`;
  }

  function showSidebar(progress) {
    for (const link of document.querySelectorAll(".bd-links a[href]")) {
      const folder = link.getAttribute("href").match(/(ch\d\d_\w+)\/\w+\.html/)?.[1] ?? (link.closest(".current.active") && location.pathname.match(/(ch\d\d_\w+)\//)?.[1]);
      const exercise = link.getAttribute("href").includes("exercise");
      link.classList.toggle("is-read", Boolean(folder && !exercise && progress.read[folder]));
    }
  }

  const box = document.querySelector(".chapter-progress");
  const table = document.querySelector(".course-progress");
  const say = (text) => { table.querySelector("output").textContent = text; };

  function show() {
    const progress = load();
    if (box) showChapter(box, progress);
    if (table) say(showTable(table, progress));
    showSidebar(progress);
  }

  document.addEventListener("quiz-passed", ({ target }) => {
    const progress = load();
    progress.passed[target.id] ??= today();
    save(progress);
  });

  box?.querySelector("input").addEventListener("change", ({ target }) => {
    const progress = load();
    if (target.checked) progress.read[box.dataset.page] = today();
    else delete progress.read[box.dataset.page];
    save(progress);
  });

  table?.querySelector("[data-do=export]").addEventListener("click", () => {
    const file = new Blob([JSON.stringify(load(), null, 2)], { type: "application/json" });
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "cnn-building-blocks-progress.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  });

  table?.querySelector("[data-do=clear]").addEventListener("click", () => {
    if (confirm("Forget which chapters you have read and which self-checks you have passed?")) save(empty());
  });

  table?.querySelector("input[type=file]").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    if (!file) return;
    try {
      const brought = JSON.parse(await file.text());
      if (!valid(brought)) throw new Error("no progress");
      const progress = load();
      save({ read: { ...brought.read, ...progress.read }, passed: { ...brought.passed, ...progress.passed } });
    } catch {
      say(`${file.name} holds no progress of this course: choose a file that Export has written.`);
    }
    target.value = "";
  });

  addEventListener("storage", show);
  show();
})();
