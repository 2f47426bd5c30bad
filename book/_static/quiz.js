// Self-checks: shows the feedback that was written into the page for the answer given.
(() => {
  // 20,000 is twenty thousand, as the book writes it; 0,5 is a half, as half of the world writes it.
  const number = (text) => {
    const plain = text.trim().replace("−", "-").replace(/(?<=\d)[\s\u00a0\u202f](?=\d{3})/g, "");
    return Number(/^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain) ? plain.replaceAll(",", "") : plain.replace(",", "."));
  };

  function answered(form) {
    if (form.dataset.kind === "choice") return form.querySelector("input:checked")?.value;
    const text = form.querySelector("input").value;
    if (text.trim() === "" || Number.isNaN(number(text))) return undefined;
    const known = [...form.querySelectorAll(".quiz-why")].map((why) => why.dataset.for);
    const close = (value) => Math.abs(Number(value) - number(text)) <= 1e-9 * Math.max(1, Math.abs(Number(value)));
    return known.find((value) => value !== "otherwise" && close(value)) ?? "otherwise";
  }

  function check(form) {
    const status = form.querySelector(".quiz-status");
    const answer = answered(form);
    status.replaceChildren();
    delete form.dataset.result;
    if (answer === undefined) {
      status.textContent = form.dataset.kind === "choice" ? "Choose an answer first." : "Type a number first.";
      return;
    }
    const why = [...form.querySelectorAll(".quiz-why")].find((item) => item.dataset.for === answer);
    form.dataset.result = why.dataset.right === "true" ? "right" : "wrong";
    status.append(...[...why.childNodes].map((node) => node.cloneNode(true)));
    if (form.dataset.result === "right") form.dispatchEvent(new Event("quiz-passed", { bubbles: true }));
  }

  for (const form of document.querySelectorAll("form.quiz")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      check(form);
    });
    form.addEventListener("input", () => {
      delete form.dataset.result;
      form.querySelector(".quiz-status").replaceChildren();
    });
  }
})();
