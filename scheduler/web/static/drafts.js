// What somebody types is there again when their session ended meanwhile: kept in this tab, for that person alone.
"use strict";

const PREFIX = "draft:";
const person = document.querySelector('meta[name="person"]')?.content;
const mine = `${PREFIX}${person}:`;

const drafts = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
const read = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };

// A form is known by where it goes; a field by its name. Secrets and choices of files are never kept.
const typed = (form) => [...form.elements].filter((field) =>
  field.name && field.name !== "form_token" && field.matches("textarea, input[type=text]:not([autocomplete=one-time-code])"));
const keyOf = (form) => `${mine}${location.pathname}|${new URL(form.action, location).pathname}`;

if (!person) {
  // The page for signing in: what was just sent did not arrive.
  for (const key of drafts()) {
    const draft = read(key);
    if (draft?.sent) sessionStorage.setItem(key, JSON.stringify({ ...draft, sent: false, lost: true }));
  }
} else {
  const isOffered = document.querySelector(".draft") !== null;
  for (const key of drafts()) {
    // Somebody else's is never shown; what was sent has arrived, or the page itself offers it again.
    const draft = read(key);
    if (!key.startsWith(mine) || draft?.sent || (draft?.lost && isOffered)) sessionStorage.removeItem(key);
  }
  for (const form of document.querySelectorAll("form[data-draft]")) {
    const key = keyOf(form);
    const kept = read(key)?.fields ?? {};
    for (const field of typed(form)) {
      if (!field.value && kept[field.name]) field.value = kept[field.name];
    }
    form.addEventListener("input", () => {
      const fields = Object.fromEntries(typed(form).filter((field) => field.value).map((field) => [field.name, field.value]));
      if (Object.keys(fields).length) sessionStorage.setItem(key, JSON.stringify({ fields, sent: false }));
      else sessionStorage.removeItem(key);
    });
    form.addEventListener("submit", () => {
      const draft = read(key);
      if (draft) sessionStorage.setItem(key, JSON.stringify({ ...draft, sent: true }));
    });
  }
  for (const link of document.querySelectorAll("a[data-discards]")) {
    link.addEventListener("click", () => {
      const ends = [...document.querySelectorAll("form[data-draft]")].map((form) => `|${new URL(form.action, location).pathname}`);
      for (const key of drafts()) {
        // Wherever it was typed: the same form stands on more than one page.
        if (key.startsWith(mine) && ends.some((end) => key.endsWith(end))) sessionStorage.removeItem(key);
      }
    });
  }
  document.querySelector('form[action="/sign-out"]')?.addEventListener("submit", () => {
    for (const key of drafts()) sessionStorage.removeItem(key);
  });
}
