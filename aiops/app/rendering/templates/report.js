"use strict";
// Hovering, touching or the arrow keys read the nearest sample of a chart. The page is complete without it.
document.querySelectorAll("svg[data-points]").forEach((chart) => {
  const points = JSON.parse(chart.dataset.points);
  const dot = chart.querySelector(".dot");
  const reading = chart.parentElement.querySelector(".reading");
  const show = (index) => {
    const [x, y, text] = points[index];
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    dot.setAttribute("visibility", "visible");
    reading.textContent = text;
    chart.dataset.at = index;
  };
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    let best = 0;
    points.forEach((point, index) => {
      if (Math.abs(point[0] - x) < Math.abs(points[best][0] - x)) best = index;
    });
    show(best);
  });
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    show(Math.min(points.length - 1, Math.max(0, Number(chart.dataset.at || 0) + step)));
  });
});
