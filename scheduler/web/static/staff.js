// Makes the pages of staff better; without it they work all the same.
"use strict";

// Finding patients while somebody types.
const box = document.querySelector("[data-finds]");
if (box) {
  const rows = document.getElementById(box.dataset.into);
  const listed = rows.innerHTML;
  let waiting = 0;
  let asked = 0;
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const words = box.value.trim();
      const mine = ++asked;
      if (!words) {
        rows.innerHTML = listed;
        return;
      }
      const answer = await fetch(`${box.dataset.finds}?q=${encodeURIComponent(words)}`);
      if (answer.redirected) {
        location.reload(); // signed out meanwhile
      } else if (answer.ok && mine === asked) {
        rows.innerHTML = await answer.text();
      }
    }, 120);
  });
}

// Saying when the session is about to end.
const ending = document.getElementById("ending");
if (ending) {
  const { idle, warned } = ending.dataset;
  setTimeout(() => { ending.hidden = false; }, (idle - warned) * 1000);
  document.getElementById("stay").addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await fetch("/patients/found");
    if (answer.redirected) {
      location.reload();
    } else {
      ending.hidden = true;
      setTimeout(() => { ending.hidden = false; }, (idle - warned) * 1000);
    }
  });
}
