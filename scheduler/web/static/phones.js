// Shows what comes in on the simulated phones as it comes. Without it the page works the same, after a reload.
"use strict";

const EVERY = 3000; // milliseconds between two looks where news cannot be listened to
const wall = document.getElementById("wall");
const face = document.getElementById("clock-face");
const heard = document.getElementById("heard");

// The clock: what the service says to the minute, and the seconds since.

let clock = { at: Date.parse(face.querySelector("time").dateTime), heardAt: performance.now() };

function shown(zone) {
  const now = clock.at + performance.now() - clock.heardAt;
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }).format(now);
}

function tick() {
  face.querySelector(".time").textContent = shown(face.dataset.zone);
  for (const bar of document.querySelectorAll(".bar time")) bar.textContent = shown(bar.dataset.zone);
}

function setClock(news) {
  clock = { at: news.at, heardAt: performance.now() };
  face.querySelector(".day").textContent = news.day;
  face.querySelector(".reads").textContent = news.said;
  const progress = face.querySelector("progress");
  progress.hidden = !news.days;
  progress.max = news.days || 1;
  progress.value = news.done;
  if (face.dataset.state !== news.state) {
    face.dataset.state = news.state;
    for (const part of document.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(news.state);
    }
    heard.textContent = news.state === "running" ? "The clock runs fast." : `The clock no longer runs fast. ${news.said}.`;
  }
  tick();
}

// The phones.

function show(fresh) {
  for (const phone of fresh.querySelectorAll("article[data-version]")) {
    const old = document.getElementById(phone.id);
    // A phone that is new needs a form of its own: the page brings it when it is loaded again.
    if (!old || old.dataset.version === phone.dataset.version) continue;
    // Only the thread and the answers are replaced: what somebody is writing stays.
    const count = old.querySelectorAll(".theirs, .mail").length;
    old.querySelector(".thread").replaceWith(phone.querySelector(".thread"));
    const offers = phone.querySelector(".offers");
    const before = old.querySelector(".offers");
    if (before.contains(document.activeElement)) settle(old);
    before.replaceWith(offers);
    old.dataset.version = phone.dataset.version;
    if (old.querySelectorAll(".theirs, .mail").length > count) {
      old.classList.remove("rings");
      requestAnimationFrame(() => old.classList.add("rings"));
    }
  }
}

// What was pressed is gone: the keyboard stays on that phone, and no keyboard comes up on a touch screen.
function settle(phone) {
  phone.querySelector(".screen").focus({ preventScroll: true });
}

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

// Listening for news; looking for them where that is refused.

let source = null;
let version = wall?.dataset.version;
let looking = 0;

function listen() {
  if (source || document.hidden) return;
  source = new EventSource(`${wall.dataset.events}?since=${encodeURIComponent(version)}`);
  source.addEventListener("phones", (event) => {
    version = event.lastEventId;
    for (const html of JSON.parse(event.data)) show(parsed(html));
    wall.dataset.version = version;
  });
  source.addEventListener("clock", (event) => setClock(JSON.parse(event.data)));
  source.addEventListener("open", () => { wall.dataset.live = "yes"; });
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) {
      mute();
      looking = setTimeout(look, EVERY);
    }
  });
}

function mute() {
  source?.close();
  source = null;
  delete wall.dataset.live;
}

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(wall.dataset.source, { credentials: "same-origin" });
      if (answer.ok) {
        const fresh = parsed(await answer.text());
        show(fresh);
        const now = fresh.getElementById("clock-face");
        const time = now.querySelector("time");
        setClock({
          at: Date.parse(time.dateTime),
          day: time.querySelector(".day").textContent,
          said: now.querySelector(".reads").textContent,
          state: now.dataset.state,
          done: now.querySelector("progress").value,
          days: now.querySelector("progress").hidden ? 0 : now.querySelector("progress").max,
        });
      }
    } catch {
      // The service is being restarted: look again later.
    }
  }
  looking = setTimeout(look, EVERY);
}

// Forms are sent without leaving the page; where that fails they are sent as they would be without a script.

async function send(event) {
  const form = event.target;
  const pressed = event.submitter;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  if (pressed?.name) {
    body.set(pressed.name, pressed.value);
    body.delete(pressed.name === "quick" ? "body" : "");
  }
  const buttons = form.querySelectorAll("button");
  const isReply = form.closest(".handset") !== null;
  for (const button of buttons) button.disabled = true;
  form.setAttribute("aria-busy", "true");
  if (!isReply) heard.textContent = "The clock is moving.";
  try {
    const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", credentials: "same-origin" });
    if (answer.type !== "opaqueredirect") throw new Error(answer.statusText);
    if (isReply && pressed?.name !== "quick") form.querySelector("[name=body]").value = "";
    if (!isReply) heard.textContent = "The clock has moved.";
    if (!source) await once();
  } catch {
    location.reload(); // the page then says what is wrong
  } finally {
    for (const button of buttons) button.disabled = false;
    form.removeAttribute("aria-busy");
    if (pressed?.matches(".hidden")) form.querySelector("[name=body]").focus({ preventScroll: true }); // it was Enter
    else if (pressed?.isConnected && !pressed.closest("[hidden]")) pressed.focus({ preventScroll: true });
    else if (isReply) settle(form.closest(".handset"));
  }
}

async function once() {
  clearTimeout(looking);
  await look();
}

if (wall) {
  setInterval(tick, 1000);
  listen();
  document.addEventListener("visibilitychange", () => {
    if (looking) return;
    if (document.hidden) mute();
    else listen();
  });
  for (const form of document.querySelectorAll(".desk form, .handset form")) form.addEventListener("submit", send);
}
