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

  // The clock is the server's: the script only counts on from what the server said.
  for (const clock of all("[data-clock]")) {
    let start, base, zone;
    const set = (iso) => {
      const offset = /([+-])(\d\d):?(\d\d)$/.exec(iso);
      if (zone === undefined) zone = offset ? (offset[1] + 1) * (offset[2] * 60 + Number(offset[3])) * 60000 : 0;
      base = Date.parse(iso);
      start = performance.now();
    };
    const tick = () => {
      const now = new Date(base + zone + performance.now() - start);
      clock.textContent = `${two(now.getUTCDate())}.${two(now.getUTCMonth() + 1)}.${now.getUTCFullYear()} ${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())}`;
    };
    const ask = () => fetch(clock.dataset.clock, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then((answer) => set(answer.now))
      .catch(() => {}); // Without an answer the clock goes on from the last one.
    set(clock.dateTime);
    setInterval(tick, 1000);
    setInterval(ask, 60000);
  }

  const units = (texts.units || "").split("|");
  for (const countdown of all("[data-countdown]")) {
    const start = performance.now();
    const left = Date.parse(countdown.dataset.countdown) - Date.parse(countdown.dataset.now);
    const tick = () => {
      const seconds = Math.floor((left - (performance.now() - start)) / 1000);
      if (seconds < 0) {
        clearInterval(timer);
        countdown.parentElement.textContent = countdown.dataset.done;
        return;
      }
      const parts = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
      const first = Math.max(0, parts.findIndex((part) => part > 0));
      countdown.textContent = parts.map((part, i) => `${part} ${units[i]}`).slice(seconds ? first : 3, first === 0 ? 3 : 4).join(" ");
    };
    const timer = setInterval(tick, 1000);
    tick();
  }

  // The button of a place that opens later. At the opening every waiting page asks the server once, each after a delay
  // of its own, so that thousands of pages do not ask in the same instant; only the server's clock opens the button.
  const DAY = 86400000, JITTER = 3000;
  for (const button of all("button[data-opens]")) {
    const opens = Date.parse(button.dataset.opens);
    const wait = (left) => (left > DAY
      ? setTimeout(wait, DAY, left - DAY)
      : setTimeout(ask, Math.max(left, 0) + Math.random() * JITTER));
    const ask = () => fetch(button.dataset.asks, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then((answer) => {
        const left = opens - Date.parse(answer.now);
        if (left > 0) return wait(left);
        button.disabled = false;
        button.form.querySelector("[role=status]").textContent = button.dataset.said;
      })
      .catch(() => wait(JITTER));
    for (const link of button.form.querySelectorAll("[data-without-script]")) link.hidden = true;
    wait(opens - Date.parse(button.dataset.now));
  }

  for (const wait of all("[data-reload]")) setTimeout(() => location.reload(), wait.dataset.reload * 1000);
})();
