// The claims ledger's filters: hide the rows that do not match, and say how many are left.
(() => {
  const form = document.querySelector(".ledger-filters");
  const rows = [...document.querySelectorAll(".claims-ledger tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const status = form.querySelector("output");

  function filter() {
    const chosen = ["verdict", "kind", "section"].map((name) => form.elements[name].value).filter(Boolean);
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !(chosen.every((name) => row.classList.contains(name)) && words.every((word) => texts[i].includes(word)));
      shown += !row.hidden;
    });
    status.textContent = `${shown} of ${rows.length} claims`;
  }

  // A link to a row must find it, whatever the filters hide.
  function reveal() {
    const row = document.getElementById(decodeURIComponent(location.hash.slice(1)))?.closest("tr");
    if (row?.hidden) { form.reset(); filter(); row.scrollIntoView(); }
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  addEventListener("hashchange", reveal);
  form.hidden = false;
  filter();
})();
