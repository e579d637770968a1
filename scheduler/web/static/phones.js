// Looks for news on the simulated phones. Without it the page works the same, after a reload.
"use strict";

const EVERY = 3000; // milliseconds
const wall = document.getElementById("wall");

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(wall.dataset.source, { credentials: "same-origin" });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const phone of fresh.querySelectorAll("article[data-version]")) {
    const shown = document.getElementById(phone.id);
    // A phone that is new needs a form of its own: the page brings it when it is loaded again.
    if (!shown || shown.dataset.version === phone.dataset.version) continue;
    // Only the thread is replaced: what somebody is writing stays.
    shown.querySelector(".thread").replaceWith(phone.querySelector(".thread"));
    shown.dataset.version = phone.dataset.version;
  }
}

async function watch() {
  try {
    await refresh();
  } catch {
    // The service is being restarted: look again later.
  }
  setTimeout(watch, EVERY);
}

if (wall) setTimeout(watch, EVERY);
