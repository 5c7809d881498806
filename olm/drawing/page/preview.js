// The page of `olm preview`: it asks its server for each picture, and hears when a file changes.
"use strict";

const main = document.getElementById("main");
const controls = document.getElementById("controls");
const paste = document.getElementById("paste");
const status = document.getElementById("status");
let version = main.dataset.version;
let wanted = 0;

/** The numbers that the reader has moved, as the query of a request. */
function changes() {
  const query = new URLSearchParams();
  for (const input of controls.querySelectorAll("input[type=number]")) {
    if (input.value !== input.defaultValue && input.value !== "") {
      query.append(input.dataset.name, input.value);
    }
  }
  return query;
}

/** Draw the page again, with the numbers of the sliders. */
async function draw(withControls) {
  const mine = (wanted += 1);
  const answer = await fetch(`draw?${changes()}`);
  const shownNow = await answer.json();
  if (mine !== wanted) return; // A later request is on its way.
  main.innerHTML = shownNow.html;
  if (withControls) fill(shownNow.sliders);
  paste.querySelector("pre").textContent = shownNow.texts.join("---\n");
  start();
}

/** Show the sliders of the files as they are on disk. */
function fill(html) {
  controls.innerHTML = html;
  for (const row of controls.querySelectorAll(".slider")) {
    const [range, number] = row.querySelectorAll("input");
    range.addEventListener("input", () => { number.value = range.value; draw(false); });
    number.addEventListener("input", () => { range.value = number.value; draw(false); });
  }
}

/** Wait for the files to change, again and again. */
async function watch() {
  for (;;) {
    try {
      const answer = await fetch(`changes?since=${encodeURIComponent(version)}`);
      const now = (await answer.json()).version;
      status.hidden = true;
      if (now !== version) {
        version = now;
        controls.innerHTML = "";
        await draw(true);
      }
    } catch {
      status.hidden = false;
      await new Promise((resolve) => { setTimeout(resolve, 1000); });
    }
  }
}

document.getElementById("show-yaml").addEventListener("click", () => {
  paste.hidden = !paste.hidden;
});
document.getElementById("reset").addEventListener("click", () => {
  controls.innerHTML = "";
  draw(true);
});
fill(controls.innerHTML);
watch();
