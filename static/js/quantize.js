/* Quantize: the figure beside the slider follows the thumb; what was unfolded stays so; fields show what the answer is about. */
(() => {
  "use strict";

  const unfolded = new Set();

  document.addEventListener("input", (event) => {
    if (event.target.id === "clip") document.querySelector("[data-clip]").textContent = event.target.value;
  });

  document.addEventListener("htmx:before:swap", () => {
    unfolded.clear();
    for (const details of document.querySelectorAll("#quantize details[open]")) unfolded.add(details.id);
  });

  // A control that the answer has changed in the markup shows it, whatever was set by hand before.
  const settle = () => {
    const page = document.getElementById("quantize");
    if (!page) return;
    for (const button of page.querySelectorAll("[data-needless]")) button.hidden = true;
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    for (const select of page.querySelectorAll("select")) {
      const chosen = select.querySelector("option[selected]");
      select.selectedIndex = chosen ? chosen.index : 0;
    }
    for (const box of page.querySelectorAll("input[type=checkbox]")) box.checked = box.hasAttribute("checked");
    for (const field of page.querySelectorAll("input:not([type=checkbox])")) {
      if (field !== document.activeElement) field.value = field.getAttribute("value");
    }
  };

  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:after:history:restore", settle);
  settle();
})();
