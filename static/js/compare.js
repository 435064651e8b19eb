/* What a new answer leaves alone: what was unfolded stays so, and the ticks show what the answer is about. */
(() => {
  "use strict";

  const unfolded = new Set();

  document.addEventListener("htmx:before:swap", () => {
    unfolded.clear();
    for (const details of document.querySelectorAll("#compare details[open]")) unfolded.add(details.id);
  });

  document.addEventListener("htmx:after:swap", () => {
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    for (const box of document.querySelectorAll("#compare-form input[type=checkbox]")) box.checked = box.defaultChecked;
  });
})();
