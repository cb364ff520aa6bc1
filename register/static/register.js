// The picture of an instrument on another day. Everything it needs stands in the page; without it the page shows the day of the edition.

const box = document.querySelector("[data-days]");
if (box) {
  const days = box.dataset.days.split(" ").map(Number); // on which something changed, and the day of the edition
  const slider = box.querySelector("input[type=range]");
  const field = box.querySelector("input[type=date]");
  const word = new Map([...box.querySelectorAll(".keys [data-status]")].map((k) => [k.dataset.status, k]));
  const name = (status) => word.get(status)?.querySelector("span:not(.count)")?.textContent ?? status;
  const iso = (day) => new Date(day * 86_400_000).toISOString().slice(0, 10);

  // steps is what a participant was from which day on, in their order.
  const steps = (e) => e.dataset.steps.split(" ").map((s) => { const i = s.indexOf(":"); return [Number(s.slice(0, i)), s.slice(i + 1)]; });
  const shown = [...document.querySelectorAll("[data-steps]")].map((e) => [e, steps(e)]);

  const on = (list, day) => {
    let status = "none";
    for (const [from, s] of list) {
      if (from > day) break;
      status = s;
    }
    return status;
  };

  const show = (day) => {
    const count = new Map();
    for (const [e, list] of shown) {
      const status = on(list, day);
      e.dataset.status = status;
      const said = e.querySelector(".said-state") ?? e;
      said.textContent = name(status);
      if (e.classList.contains("tile")) count.set(status, (count.get(status) ?? 0) + 1);
    }
    for (const [status, k] of word) k.querySelector(".count").textContent = String(count.get(status) ?? 0);
    for (const t of document.querySelectorAll(".shown-day")) t.textContent = iso(day);
  };

  const nearest = (day) => { let i = 0; while (i + 1 < days.length && days[i + 1] <= day) i++; return i; };
  slider.addEventListener("input", () => {
    const day = days[Number(slider.value)];
    field.value = iso(day);
    slider.setAttribute("aria-valuetext", iso(day));
    show(day);
  });
  field.addEventListener("change", () => {
    const day = Math.floor(Date.parse(field.value) / 86_400_000);
    if (Number.isNaN(day)) return;
    slider.value = String(nearest(day));
    slider.setAttribute("aria-valuetext", iso(day));
    show(day);
  });
  slider.setAttribute("aria-valuetext", field.value);
  box.querySelector(".time").hidden = false;
}
