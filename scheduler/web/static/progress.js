// Shows how far a list is without loading the page anew; without it the page loads itself.
"use strict";

const look = async () => {
  const answer = await fetch(location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const there = page.getElementById("progress");
  if (!answer.ok || answer.redirected || !there) {
    location.reload(); // it has ended, or the session has
    return;
  }
  document.getElementById("progress").replaceChildren(...there.childNodes);
  setTimeout(look, 1000);
};
setTimeout(look, 700);
