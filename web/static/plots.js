// Lets a plot be read by keyboard and by touch: a slider over its points, which tells the values of each.
"use strict";
for (const plot of document.querySelectorAll(".plot")) {
  const moment = plot.querySelector(".moment");
  if (!moment) continue;
  const hits = plot.querySelectorAll(".hits rect");
  const slider = moment.querySelector("input");
  const told = moment.querySelector("span");
  const tell = () => {
    const says = hits[slider.value].querySelector("title").textContent;
    told.textContent = says;
    slider.setAttribute("aria-valuetext", says);
  };
  slider.max = hits.length - 1;
  slider.value = hits.length - 1;
  slider.addEventListener("input", tell);
  hits.forEach((hit, index) => hit.addEventListener("pointerenter", () => { slider.value = index; tell(); }));
  moment.hidden = false;
  tell();
}
