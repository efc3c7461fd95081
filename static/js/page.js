// What every page has: menus that close on Escape and on a click elsewhere, and the worker that answers without the
// internet (`templates/service_worker.js`).
(() => {
  "use strict";
  addEventListener("click", (event) => {
    const clicked = event.target.closest("details.menu");
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== clicked) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  // After the page: it comes first. What the worker is made of may lie in the browser's cache, so that a page view asks
  // for nothing more.
  const { worker } = document.currentScript.dataset;
  addEventListener("load", () => {
    navigator.serviceWorker?.register(worker, { scope: "/", updateViaCache: "all" }).catch(() => {});
  });
})();
