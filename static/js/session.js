// Two and a half minutes before the session ends the page asks whether to go on: one button does. The end stands in a
// cookie that the server's answers renew, so what is done in another tab counts here.
(() => {
  "use strict";
  const dialog = document.querySelector("[data-session]"), WARNED = 150000;
  if (!dialog?.showModal) return;
  const [goOn, again, back, left] = ["go-on", "again", "back", "left"].map((name) => dialog.querySelector(`[data-${name}]`));
  const units = left.dataset.left.split("|");
  let isOver = false, hadEnd = false;

  const ends = () => {
    const found = document.cookie.split("; ").find((one) => one.startsWith(`${dialog.dataset.cookie}=`));
    return found ? Number(found.split("=")[1]) * 1000 : 0;
  };
  const open = (what) => {
    for (const text of dialog.querySelectorAll("[data-warned]")) text.textContent = text.dataset[what];
    goOn.hidden = left.hidden = isOver;
    again.hidden = back.hidden = !isOver;
    if (!dialog.open) dialog.showModal();
  };
  const finish = () => {
    isOver = true;
    open("over");
    again.focus();
  };

  serverClock.onTick((time) => {
    if (isOver) return;
    const end = ends();
    // A page that never had an end is an employee's; one that lost it was signed out in another tab.
    if (!end) return hadEnd ? finish() : undefined;
    hadEnd = true;
    if (time >= end) return finish();
    if (time < end - WARNED) return dialog.close();
    const seconds = Math.ceil((end - time) / 1000);
    left.textContent = `${Math.floor(seconds / 60)} ${units[0]} ${seconds % 60} ${units[1]}`;
    if (!dialog.open) open("warned");
  });

  const ask = () => {
    fetch(dialog.dataset.session, { cache: "no-store" })
      .then((answer) => answer.json())
      .then((answer) => (answer.lives ? dialog.close() : finish()))
      .catch(() => {}); // Without an answer the question stays: it can be pressed again.
  };
  goOn.addEventListener("click", ask);
  back.addEventListener("click", () => dialog.close());
  // Escape goes on, too.
  dialog.addEventListener("cancel", (event) => {
    if (isOver) return;
    event.preventDefault();
    ask();
  });
})();
