/* Inspect: the bit row as one stop of the Tab key (arrow keys move, Space flips as Enter does), and tidy permalinks. */
(() => {
  "use strict";

  let current = null; // id of the bit that Tab leads to

  const cellsOf = (row) => [...row.querySelectorAll("a.cell")];

  const settle = () => {
    for (const row of document.querySelectorAll("[data-bits]")) {
      const cells = cellsOf(row);
      const chosen = cells.find((cell) => cell.id === current) || cells[0];
      for (const cell of cells) cell.tabIndex = cell === chosen ? 0 : -1;
    }
  };

  const target = (key, cells, index) => {
    switch (key) {
      case "ArrowLeft": return cells[index - 1];
      case "ArrowRight": return cells[index + 1];
      case "Home": return cells[0];
      case "End": return cells[cells.length - 1];
      case "ArrowUp": return lineNeighbour(cells, index, -1);
      case "ArrowDown": return lineNeighbour(cells, index, 1);
      default: return undefined;
    }
  };

  // The nearest bit in the line of cells above or below.
  const lineNeighbour = (cells, index, direction) => {
    const from = cells[index].getBoundingClientRect();
    let best, bestDistance = Infinity;
    for (const cell of cells) {
      const box = cell.getBoundingClientRect();
      const down = (box.top - from.top) * direction;
      if (down < from.height / 2) continue;
      const distance = down * 4 + Math.abs(box.left - from.left);
      if (distance < bestDistance) { best = cell; bestDistance = distance; }
    }
    return best;
  };

  document.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.("[data-bits] a.cell");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === " ") {
      event.preventDefault();
      cell.click();
      return;
    }
    const cells = cellsOf(cell.closest("[data-bits]"));
    const next = target(event.key, cells, cells.indexOf(cell));
    if (!next) return;
    event.preventDefault();
    current = next.id;
    settle();
    next.focus();
  });

  document.addEventListener("focusin", (event) => {
    const cell = event.target.closest("[data-bits] a.cell");
    if (!cell) return;
    current = cell.id;
    settle();
  });

  // A choice that the answer has changed in the markup shows, whatever was chosen by hand before.
  const showChoices = () => {
    for (const select of document.querySelectorAll("#inspect select")) {
      const chosen = select.querySelector("option[selected]");
      select.selectedIndex = chosen ? chosen.index : 0;
    }
  };

  // A permalink names what was chosen and no more, always in the same order.
  const order = ["value", "bits", "format", "rounding", "overflow"];
  document.addEventListener("htmx:config:request", (event) => {
    const body = event.detail.ctx.request.body;
    if (!(body instanceof FormData) || !event.target.closest?.("#inspect-form")) return;
    for (const name of order) {
      const text = body.get(name);
      body.delete(name);
      if (text !== null && (text !== "" || name === "value")) body.append(name, text);
    }
  });

  document.addEventListener("htmx:after:swap", () => {
    settle();
    showChoices();
  });
  document.addEventListener("htmx:after:history:restore", settle);
  settle();
})();
