// Checks the form of a new patient while it is filled in; the server checks it all again.
"use strict";

const sheet = document.querySelector("form[data-checks]");
if (sheet) {
  const left = new Set(); // what somebody has filled in and gone on from
  let waiting = 0;
  let asked = 0;

  const group = (field) => field.name.split(":")[0];

  const show = (name, why) => {
    const place = document.getElementById(`${name}-wrong`);
    if (!place) {
      return;
    }
    place.textContent = why;
    place.hidden = !why;
    const block = place.closest(".field, .group, .consent");
    if (block) {
      block.classList.toggle("faulty", Boolean(why));
    }
    const field = sheet.elements[name];
    if (field instanceof HTMLElement && field.matches("input:not([type=radio], [type=checkbox]), select")) {
      field.toggleAttribute("aria-invalid", Boolean(why));
      if (why) {
        field.setAttribute("aria-invalid", "true");
      }
    }
  };

  const note = (warnings) => {
    const notes = document.getElementById("notes");
    notes.replaceChildren(...Object.values(warnings).map((why) => {
      const line = document.createElement("p");
      line.className = "notice warn";
      line.textContent = why;
      return line;
    }));
  };

  // A tick stands for the words that were beside it: with other words it goes.
  const speak = (words, language) => {
    for (const [channel, one] of Object.entries(words)) {
      const mark = sheet.elements[`${channel}_words`];
      if (mark.value !== one.mark) {
        mark.value = one.mark;
        const place = document.getElementById(`${channel}-words`);
        place.textContent = one.text;
        place.lang = language;
        sheet.elements[`${channel}_consent`].checked = false;
      }
    }
  };

  const check = async () => {
    const mine = ++asked;
    const answer = await fetch(sheet.dataset.checks, { method: "POST", body: new URLSearchParams(new FormData(sheet)) });
    if (!answer.ok || answer.redirected || mine !== asked) {
      return; // the server says what is wrong when the form is sent
    }
    const found = await answer.json();
    for (const name of left) {
      show(name, found.errors[name] || "");
    }
    note(found.warnings);
    speak(found.words, found.language);
  };

  const soon = (delay) => {
    clearTimeout(waiting);
    waiting = setTimeout(check, delay);
  };

  sheet.addEventListener("change", (event) => {
    left.add(group(event.target));
    soon(0);
  });
  sheet.addEventListener("input", (event) => {
    if (left.has(group(event.target))) {
      soon(300);
    }
  });
}

// What was refused is read first.
const problem = document.getElementById("problem");
if (problem) {
  problem.focus();
}
