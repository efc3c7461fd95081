// Waiting for an opening: the countdown, the button that opens by the server's clock, the page that asks again.
(() => {
  "use strict";
  const units = document.currentScript.dataset.units.split("|");

  for (const countdown of document.querySelectorAll("[data-countdown]")) {
    const end = Date.parse(countdown.dataset.countdown), line = countdown.parentElement;
    serverClock.onTick((time) => {
      if (!countdown.isConnected) return;
      const seconds = Math.ceil((end - time) / 1000);
      if (seconds <= 0) return (line.textContent = countdown.dataset.done);
      const parts = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60];
      const first = parts.findIndex((part) => part > 0);
      const said = parts.map((part, i) => `${part} ${units[i]}`).slice(first, first === 0 ? 3 : 4);
      countdown.textContent = said.join(" ");
    });
  }

  // The button of a place that opens later opens on every page at the same instant of the server, without asking then.
  const button = document.querySelector("button[data-opens]");
  if (button) {
    const opens = Date.parse(button.dataset.opens), status = button.form.querySelector("[role=status]");
    status.hidden = false;
    for (const element of button.form.querySelectorAll("[data-without-script]")) element.hidden = true;
    serverClock.onTick((time) => {
      if (time < opens || !button.disabled) return;
      button.disabled = false;
      status.textContent = button.dataset.said;
    });
    serverClock.aimAt(opens);
  }

  for (const wait of document.querySelectorAll("[data-reload]")) {
    setTimeout(() => location.reload(), wait.dataset.reload * 1000);
  }
})();
