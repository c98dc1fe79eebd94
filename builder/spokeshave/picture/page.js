// Shows a tile's title at once, and marks the same file in the other map. Without it the browser's own
// tooltips tell the same.
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.hidden = true;
  document.body.append(tip);
  let marked = [];

  function hide() {
    tip.hidden = true;
    marked.forEach((leaf) => leaf.classList.remove("same"));
    marked = [];
  }

  function show(leaf, event) {
    if (marked[0] !== leaf) {
      hide();
      const twins = leaf.closest(".maps").querySelectorAll(".leaf");
      const name = leaf.dataset.name;
      marked = [leaf, ...[...twins].filter((other) => other !== leaf && other.dataset.name === name)];
      marked.forEach((other) => other.classList.add("same"));
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
