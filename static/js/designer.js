/* The Designer: the count beside a slider follows the thumb, and the button that only pages without script need goes. */
(() => {
  "use strict";

  document.addEventListener("input", (event) => {
    const slider = event.target.closest?.(".designer__slider");
    if (!slider) return;
    slider.closest(".designer__bits").querySelector("[data-count]").textContent = slider.value;
  });

  // A control that the answer has changed in the markup shows it, whatever was set by hand before.
  const settle = () => {
    const form = document.getElementById("designer-form");
    if (!form) return;
    for (const button of form.querySelectorAll("[data-needless]")) button.hidden = true;
    for (const select of form.querySelectorAll("select")) {
      const chosen = select.querySelector("option[selected]");
      if (chosen) select.selectedIndex = chosen.index;
    }
    for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = box.hasAttribute("checked");
    for (const field of form.querySelectorAll("input[type=range], #bias")) {
      if (field !== document.activeElement) field.value = field.getAttribute("value");
    }
  };

  document.addEventListener("htmx:after:swap", settle);
  document.addEventListener("htmx:after:history:restore", settle);
  settle();
})();
