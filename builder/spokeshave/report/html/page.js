// Shows a tile's title at once, and marks the same file in the other map. Without this script the browser's
// tooltips show the same text.
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;
  let marks = [];

  function hide() {
    tip.hidden = true;
    marks.forEach((mark) => mark.remove());
    marks = [];
    shown = null;
  }

  // A frame on top of everything: the tile's frame would be below its neighbours.
  function mark(leaf) {
    const frame = leaf.querySelector("rect").cloneNode();
    frame.setAttribute("class", "mark");
    leaf.ownerSVGElement.append(frame);
    return frame;
  }

  function show(leaf, event) {
    if (shown !== leaf) {
      hide();
      shown = leaf;
      const all = [...leaf.closest(".maps").querySelectorAll(".leaf")];
      marks = all.filter((other) => other.dataset.name === leaf.dataset.name).map(mark);
      tip.textContent = leaf.dataset.tip;
    }
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const x = Math.min(event.clientX + 14, innerWidth - box.width - 6);
    const below = event.clientY + 18;
    const y = below + box.height > innerHeight ? event.clientY - box.height - 10 : below;
    tip.style.left = `${Math.max(6, x)}px`;
    tip.style.top = `${Math.max(6, y)}px`;
  }

  for (const leaf of document.querySelectorAll(".leaf")) {
    const title = leaf.querySelector("title");
    leaf.dataset.tip = title.textContent;
    title.remove();
  }
  function follow(event) {
    const leaf = event.target.closest(".leaf");
    if (leaf) show(leaf, event);
    else hide();
  }

  document.addEventListener("pointermove", follow);
  document.addEventListener("pointerdown", follow);
  document.addEventListener("scroll", hide, { passive: true });
  addEventListener("beforeprint", () => {
    document.querySelectorAll("details").forEach((details) => { details.open = true; });
  });
})();
