// Small comforts; every page works without them.
(() => {
  "use strict";
  const texts = document.currentScript.dataset;
  const all = (selector) => document.querySelectorAll(selector);
  const two = (number) => String(number).padStart(2, "0");

  // The first thing to read after a refused form is what was wrong with it.
  const summary = document.querySelector(".error-summary");
  if (summary) summary.focus();

  // A second click must not send a form twice; "back" gives the button to the reader again.
  for (const form of all("form[data-guard]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) return event.preventDefault();
      form.dataset.sent = "1";
      const button = event.submitter || form.querySelector("button");
      // A disabled button is left out of the form, so it is disabled only after the form has been read.
      setTimeout(() => {
        if (!button) return;
        button.dataset.label = button.innerHTML;
        button.textContent = texts.sending;
        button.setAttribute("aria-disabled", "true");
      });
    });
  }
  addEventListener("pageshow", () => {
    for (const form of all("form[data-sent]")) {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button[data-label]")) {
        button.innerHTML = button.dataset.label;
        delete button.dataset.label;
        button.removeAttribute("aria-disabled");
      }
    }
  });

  for (const input of all("input[type=password]")) {
    const box = document.createElement("div");
    const button = document.createElement("button");
    box.className = "reveal";
    button.type = "button";
    button.className = "button button--secondary";
    button.setAttribute("aria-controls", input.id);
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      button.textContent = visible ? texts.hide : texts.show;
      button.setAttribute("aria-pressed", String(visible));
    };
    input.replaceWith(box);
    box.append(input, button);
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    if (input.form) input.form.addEventListener("submit", () => show(false));
  }

  // Menus close on Escape and on a click elsewhere.
  const close = (except) => {
    for (const menu of all("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  addEventListener("click", (event) => close(event.target.closest("details.menu")));
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // What the page shows anew every second, as functions of the server's time in milliseconds.
  const shown = [];

  for (const clock of all("[data-clock]")) {
    const offset = /([+-])(\d\d):?(\d\d)$/.exec(clock.dateTime);
    const zone = offset ? (offset[1] + 1) * (offset[2] * 60 + Number(offset[3])) * 60000 : 0;
    shown.push((time) => {
      const at = new Date(time + zone);
      clock.textContent = `${two(at.getUTCDate())}.${two(at.getUTCMonth() + 1)}.${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    });
  }

  const units = (texts.units || "").split("|");
  for (const countdown of all("[data-countdown]")) {
    const end = Date.parse(countdown.dataset.countdown), line = countdown.parentElement;
    shown.push((time) => {
      if (!countdown.isConnected) return;
      const seconds = Math.ceil((end - time) / 1000);
      if (seconds <= 0) return (line.textContent = countdown.dataset.done);
      const parts = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
      const first = parts.findIndex((part) => part > 0);
      countdown.textContent = parts.map((part, i) => `${part} ${units[i]}`).slice(first, first === 0 ? 3 : 4).join(" ");
    });
  }

  // The button of a place that opens later opens on every page at the same instant of the server, without asking then.
  const button = document.querySelector("button[data-opens]");
  const opens = button ? Date.parse(button.dataset.opens) : 0;
  if (button) {
    const status = button.form.querySelector("[role=status]");
    status.hidden = false;
    for (const element of button.form.querySelectorAll("[data-without-script]")) element.hidden = true;
    shown.push((time) => {
      if (time < opens || !button.disabled) return;
      button.disabled = false;
      status.textContent = button.dataset.said;
    });
  }

  // The server's clock, whatever the device's shows. An answer was right at some moment between the question and its
  // arrival: the page goes by the middle of what all answers allow. One that contradicts the others (the machine slept
  // and its counter stood) holds alone. The page itself was the first answer.
  const told = document.querySelector("[data-clock]") || document.querySelector("[data-now]");
  if (told) {
    const address = document.querySelector("[data-clock]")?.dataset.clock;
    const [page] = performance.getEntriesByType("navigation");
    let low = -Infinity, high = Infinity, device = Date.now() - performance.now(), ticking, asking;
    const serverTime = () => performance.now() + (low + high) / 2;
    const learn = (iso, sent, received) => {
      const time = Date.parse(iso);
      low = Math.max(low, time - received);
      high = Math.min(high, time - sent);
      if (low > high) [low, high] = [time - received, time - sent];
      tick();
    };
    const tick = () => {
      const time = serverTime(), jump = Date.now() - performance.now() - device;
      for (const show of shown) show(time);
      clearTimeout(ticking);
      ticking = setTimeout(tick, Math.min(1000 - time % 1000, opens > time ? opens - time : 1000));
      if (Math.abs(jump) < 1000) return;
      device += jump;
      askSoon();
    };

    // It is asked again in every minute, counted back from the opening, at a random moment but in the last five seconds;
    // by a page that came within the last minute, or slept, soon. So thousands of pages are spread, and the minute
    // of the opening belongs to those who press.
    const MINUTE = 60000, QUIET = 5000;
    const askIn = (delay) => {
      clearTimeout(asking);
      if (address) asking = setTimeout(ask, delay);
    };
    const askSoon = () => askIn(Math.random() * 1000);
    const askLater = () => {
      const time = serverTime(), minutes = Math.floor((opens - time) / MINUTE) || -1;
      askIn(opens - minutes * MINUTE - time + Math.random() * (MINUTE - QUIET));
    };
    const ask = () => {
      const sent = performance.now();
      fetch(address, { cache: "no-store" })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
        .then((answer) => learn(answer.now, sent, performance.now()))
        .catch(() => {}) // Without an answer the page goes on with what it knows.
        .finally(askLater);
    };
    learn(told.dataset.now, page?.requestStart || 0, page?.responseStart || performance.now());
    if (opens > serverTime() && opens - serverTime() < MINUTE) askSoon(); else askLater();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) askSoon(); });
    addEventListener("online", askSoon);
    addEventListener("pageshow", (event) => { if (event.persisted || page?.type === "back_forward") askSoon(); });
  }

  for (const wait of all("[data-reload]")) setTimeout(() => location.reload(), wait.dataset.reload * 1000);
})();
