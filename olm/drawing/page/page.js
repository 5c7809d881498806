// Hover and switches of a page with pictures. The numbers come from the page: none is computed here.
"use strict";

let data = null;
const shown = { axis: null, log: null };

/** Show the picture of the axis and the scale that are chosen. */
function show() {
  for (const picture of document.querySelectorAll("[data-axis]")) {
    const { axis, log } = picture.dataset;
    picture.hidden = axis !== shown.axis || (log === "1") !== shown.log;
  }
}

/** The index of the step nearest to a horizontal place of the picture; -1 outside it. */
function nearest(x, places) {
  const windows = data.windows[shown.axis];
  const found = windows.find(([left, width]) => x >= left - 3 && x <= left + width + 3);
  if (!found) return -1;
  const [left, width, first, last] = found;
  const place = first + ((x - left) / width) * (last - first);
  let low = 0;
  let high = places.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (places[middle] <= place) low = middle;
    else high = middle;
  }
  return place - places[low] < places[high] - place ? low : high;
}

/** Show the numbers of a step beside it. */
function point(picture, index) {
  const tip = picture.querySelector(".tip");
  const svg = picture.querySelector("svg");
  for (const old of svg.querySelectorAll(".cursor")) old.remove();
  tip.hidden = index < 0;
  if (index < 0) return;
  picture.dataset.index = index;
  const place = data.places[shown.axis][index];
  const view = svg.viewBox.baseVal;
  let x = 0;
  for (const [left, width, first, last] of data.windows[shown.axis]) {
    if (place < first || place > last) continue;
    x = left + ((place - first) / (last - first)) * width;
    const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const ends = { x1: x, x2: x, y1: data.top, y2: data.foot, class: "cursor" };
    for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value);
    svg.append(line);
  }
  tip.textContent = data.columns.map((name, at) => `${name}  ${data.rows[index][at]}`).join("\n");
  const scale = svg.clientWidth / view.width;
  const right = x * scale + 12 + tip.offsetWidth > svg.clientWidth;
  tip.style.left = `${Math.max(right ? x * scale - 12 - tip.offsetWidth : x * scale + 12, 0)}px`;
  tip.style.top = `${data.top * scale + 8}px`;
}

/** Let a picture answer to the pointer and to the arrow keys. */
function listen(picture) {
  const svg = picture.querySelector("svg");
  const at = (event) => {
    const box = svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    point(picture, nearest(x, data.places[shown.axis]));
  };
  picture.addEventListener("pointermove", at);
  picture.addEventListener("pointerleave", () => point(picture, -1));
  picture.tabIndex = 0;
  picture.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const last = data.rows.length - 1;
    const index = Number(picture.dataset.index ?? -1) + move;
    point(picture, Math.min(Math.max(index, 0), last));
  });
}

/** Listen to the pictures and the switches of the page, after it was loaded or redrawn. */
function start() {
  const numbers = document.getElementById("data");
  if (!numbers) return; // There is no picture yet.
  data = JSON.parse(numbers.textContent);
  if (!data.axes.includes(shown.axis)) shown.axis = data.axes[0];
  shown.log ??= data.log;
  for (const picture of document.querySelectorAll("[data-axis]")) listen(picture);
  const axis = document.getElementById("axis");
  const log = document.getElementById("log");
  axis.value = shown.axis;
  log.checked = shown.log;
  axis.addEventListener("change", () => { shown.axis = axis.value; show(); });
  log.addEventListener("change", () => { shown.log = log.checked; show(); });
  show();
}

start();
