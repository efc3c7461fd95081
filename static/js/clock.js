// The server's clock, whatever the device's shows.
//
// An answer was right at some moment between the question and its arrival: the page goes by the middle of what all
// answers allow. One that contradicts the others (the machine slept and its counter stood) holds alone. The page itself
// was the first answer.
const serverClock = (() => {
  "use strict";
  const told = document.querySelector("[data-clock]") || document.querySelector("[data-now]");
  const shown = [];
  if (!told) return { onTick() {}, aimAt() {} };

  const MINUTE = 60000, QUIET = 5000;
  const address = document.querySelector("[data-clock]")?.dataset.clock;
  const [page] = performance.getEntriesByType("navigation");
  let low = -Infinity, high = Infinity, aim = 0, device = Date.now() - performance.now(), ticking, asking;

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
    ticking = setTimeout(tick, Math.min(1000 - time % 1000, aim > time ? aim - time : 1000));
    if (Math.abs(jump) < 1000) return;
    device += jump;
    askSoon();
  };

  // It is asked again in every minute, counted back from the instant aimed at, at a random moment but in the last five
  // seconds; by a page that came within the last minute, or slept, soon. So thousands of pages are spread, and the
  // minute of an opening belongs to those who press.
  const askIn = (delay) => {
    clearTimeout(asking);
    if (address) asking = setTimeout(ask, delay);
  };
  const askSoon = () => askIn(Math.random() * 1000);
  const askLater = () => {
    const time = serverTime(), minutes = Math.floor((aim - time) / MINUTE) || -1;
    askIn(aim - minutes * MINUTE - time + Math.random() * (MINUTE - QUIET));
  };
  const plan = () => {
    const left = aim - serverTime();
    if (left > 0 && left < MINUTE) askSoon(); else askLater();
  };
  const ask = () => {
    asking = 0;
    const sent = performance.now();
    fetch(address, { cache: "no-store" })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)))
      .then((answer) => learn(answer.now, sent, performance.now()))
      .catch(() => {}) // Without an answer the page goes on with what it knows.
      .finally(() => asking || askLater()); // A machine that woke meanwhile has planned a question that goes first.
  };

  const two = (number) => String(number).padStart(2, "0");
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const offset = /([+-])(\d\d):?(\d\d)$/.exec(clock.dateTime);
    const zone = offset ? (offset[1] + 1) * (offset[2] * 60 + Number(offset[3])) * MINUTE : 0;
    shown.push((time) => {
      const at = new Date(time + zone);
      const day = [two(at.getUTCDate()), two(at.getUTCMonth() + 1), at.getUTCFullYear()].join(".");
      clock.textContent = `${day} ${[at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(":")}`;
    });
  }

  learn(told.dataset.now, page?.requestStart || 0, page?.responseStart || performance.now());
  plan();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) askSoon(); });
  addEventListener("online", askSoon);
  addEventListener("pageshow", (event) => { if (event.persisted || page?.type === "back_forward") askSoon(); });

  return {
    // Refresh something every second: `show` gets the server's time in milliseconds.
    onTick(show) { shown.push(show); tick(); },
    // Tick at this instant (milliseconds) exactly, and ask the server in the minutes before it, not in the last seconds.
    aimAt(instant) { aim = instant; tick(); plan(); },
  };
})();
