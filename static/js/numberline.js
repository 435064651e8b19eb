/* The number line by hand: drag to choose a stretch, Shift-drag and arrow keys to move, Ctrl-wheel, + and - to zoom. */
(() => {
  "use strict";

  const WAIT = 90; // ms in which turns of the wheel become one question
  let wheel = null;
  let drag = null;

  const lanesOf = (node) => node.closest?.("[data-lanes]");
  const clip = (share) => Math.min(Math.max(share, 0), 1);

  const shareAt = (lanes, x) => {
    const box = lanes.querySelector("[data-strip]").getBoundingClientRect();
    return (x - box.left) / box.width;
  };

  // The server answers with the stretch and its address: exact ends of few digits.
  const show = (from, to) => {
    const form = document.getElementById("numberline-part");
    if (!form || !(to > from) || Math.abs(from) > 100 || Math.abs(to) > 100) return;
    form.elements.select.value = `${from.toFixed(6)},${to.toFixed(6)}`;
    form.requestSubmit();
  };

  const zoom = (lanes, at, factor) => {
    if (wheel) wheel.factor *= factor;
    else {
      wheel = { factor, at };
      setTimeout(() => {
        const { factor: all, at: centre } = wheel;
        wheel = null;
        show(centre - centre * all, centre + (1 - centre) * all);
      }, WAIT);
    }
  };

  document.addEventListener("wheel", (event) => {
    const lanes = lanesOf(event.target);
    if (!lanes || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    zoom(lanes, clip(shareAt(lanes, event.clientX)), Math.exp(Math.max(-60, Math.min(event.deltaY, 60)) / 150));
  }, { passive: false });

  const draw = () => {
    const from = shareAt(drag.lanes, drag.start), to = shareAt(drag.lanes, drag.end);
    const box = drag.lanes.querySelector("[data-strip]").getBoundingClientRect();
    const left = box.left - drag.lanes.getBoundingClientRect().left;
    const [low, high] = [clip(Math.min(from, to)), clip(Math.max(from, to))];
    drag.box.style.left = `${left + low * box.width}px`;
    drag.box.style.width = `${(high - low) * box.width}px`;
  };

  document.addEventListener("pointerdown", (event) => {
    const lanes = lanesOf(event.target);
    if (!lanes || event.button !== 0 || !event.target.closest("[data-strip]")) return;
    drag = { lanes, start: event.clientX, end: event.clientX, moves: event.shiftKey, box: null };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.end = event.clientX;
    if (!drag.box) {
      if (Math.abs(drag.end - drag.start) < 5) return;
      drag.box = document.createElement("div");
      drag.box.className = "lanes__choice";
      drag.lanes.append(drag.box);
    }
    draw();
  });

  const finish = () => {
    const done = drag;
    drag = null;
    if (!done?.box) return null;
    done.box.remove();
    return done;
  };

  document.addEventListener("pointerup", () => {
    const done = finish();
    if (!done) return;
    // A drag that ends on a stroke is no click on it.
    addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
    setTimeout(() => dispatchEvent(new MouseEvent("click", { cancelable: true })), 0);
    const from = shareAt(done.lanes, done.start), to = shareAt(done.lanes, done.end);
    if (done.moves) show(from - to, 1 + from - to);
    else show(clip(Math.min(from, to)), clip(Math.max(from, to)));
  });
  document.addEventListener("pointercancel", finish);
  document.addEventListener("dragstart", (event) => { if (lanesOf(event.target)) event.preventDefault(); });

  const keys = {
    "+": [0.25, 0.75], "=": [0.25, 0.75], "-": [-0.5, 1.5], ArrowLeft: [-0.25, 0.75], ArrowRight: [0.25, 1.25],
  };

  document.addEventListener("keydown", (event) => {
    const lanes = lanesOf(event.target);
    if (!lanes || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") { finish(); return; }
    const mark = event.target.closest(".lane__mark");
    if (mark && event.key.startsWith("Arrow")) {
      const marks = [...mark.closest("svg").querySelectorAll(".lane__mark")];
      const next = marks[marks.indexOf(mark) + { ArrowLeft: -1, ArrowRight: 1 }[event.key]];
      if (!next) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
      return;
    }
    const part = keys[event.key];
    if (!part) return;
    event.preventDefault();
    show(...part);
  });

  const showGestures = () => {
    for (const hint of document.querySelectorAll("[data-gestures]")) hint.hidden = false;
  };
  document.addEventListener("htmx:after:swap", showGestures);
  document.addEventListener("htmx:after:history:restore", showGestures);
  showGestures();
})();
