// Makes the pages of staff better; without it they work all the same.
"use strict";

// Finding patients while somebody types.
const box = document.querySelector("[data-finds]");
if (box) {
  const rows = document.getElementById(box.dataset.into);
  const listed = rows.innerHTML;
  const unseen = document.getElementById("unseen");
  const ticked = new Set();
  let waiting = 0;
  let asked = 0;
  // What is ticked stays so, shown or not; what is about the whole list goes while somebody searches.
  const show = (found, isList) => {
    for (const tick of rows.querySelectorAll("input")) {
      ticked[tick.checked ? "add" : "delete"](tick.name);
    }
    rows.innerHTML = found;
    const left = new Set(ticked);
    for (const tick of rows.querySelectorAll("input")) {
      tick.checked = left.delete(tick.name);
    }
    if (unseen) {
      unseen.textContent = left.size ? `With ${left.size} ticked before, not shown now.` : "";
      unseen.hidden = !left.size;
      for (const name of left) {
        unseen.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: "yes" }));
      }
    }
    for (const part of document.querySelectorAll("[data-listed]")) {
      part.hidden = !isList;
      for (const each of part.querySelectorAll("input")) {
        each.disabled = !isList;
      }
    }
  };
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const words = box.value.trim();
      const mine = ++asked;
      if (!words) {
        show(listed, true);
        return;
      }
      const where = new URL(box.dataset.finds, location);
      where.searchParams.set("q", words);
      const answer = await fetch(where);
      if (answer.redirected) {
        location.reload(); // signed out meanwhile
      } else if (answer.ok && mine === asked) {
        show(await answer.text(), false);
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

// How long a message is, while somebody writes it. The server counts: it knows all that goes with the words.
for (const form of document.querySelectorAll("[data-counts]")) {
  const words = form.elements.words;
  const shown = document.getElementById(words.getAttribute("aria-describedby").split(" ")[0]);
  let waiting = 0;
  let asked = 0;
  const count = async () => {
    const mine = ++asked;
    const answer = await fetch(form.dataset.counts, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok && !answer.redirected && mine === asked) {
      shown.innerHTML = await answer.text();
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(count, 250);
  });
}

// How many tasks are ticked.
for (const form of document.querySelectorAll("[data-several]")) {
  const shown = form.querySelector("[data-ticked]");
  const tell = () => {
    const number = form.querySelectorAll(".tick input:checked").length;
    shown.textContent = number ? `${number} ticked` : "";
  };
  form.addEventListener("change", tell);
  tell();
}
