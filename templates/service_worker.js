"use strict";

// Without the internet a page of its own says what to do, and notices are shown while no page is open. Nothing else is kept: no page of a family, no answer to a form.
// Everything here has the name of its release, so a new one puts its own in place of the old.
const RELEASE = "{{ release }}", OFFLINE = JSON.parse("{{ offline|escapejs }}"), KEPT = JSON.parse("{{ kept|escapejs }}");

addEventListener("install", (event) => {
  // As anybody gets them: the pages that are kept know no visitor.
  const asked = [...Object.values(OFFLINE), ...KEPT].map((path) => new Request(path, { credentials: "omit", cache: "no-cache" }));
  event.waitUntil(caches.open(RELEASE).then((cache) => cache.addAll(asked)));
  skipWaiting();
});

addEventListener("activate", (event) => {
  const forget = (names) => Promise.all(names.filter((name) => name !== RELEASE).map((name) => caches.delete(name)));
  event.waitUntil(Promise.all([caches.keys().then(forget), registration.navigationPreload?.enable(), clients.claim()]));
});

addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (KEPT.includes(pathname)) event.respondWith(fetch(request).catch(() => kept(pathname)));
  if (request.mode !== "navigate" || /^\/(ru\/)?admin\//.test(pathname)) return;
  const page = Promise.resolve(event.preloadResponse).then((answer) => answer || fetch(request));
  event.respondWith(page.catch(() => kept(OFFLINE[pathname.startsWith("/ru/") ? "ru" : "kk"])));
});

const kept = (path) => caches.match(path, { ignoreVary: true }).then((answer) => answer || Response.error());

// A notice: what it says is written by the portal, for this browser alone. It leads to the inbox and nowhere else.
const INBOX = JSON.parse("{{ inbox|escapejs }}");

addEventListener("push", (event) => {
  const told = event.data?.json() || {};
  const language = Object.hasOwn(INBOX, told.language) ? told.language : "kk";
  event.waitUntil(registration.showNotification("Balabaqsha", {
    body: String(told.text || ""),
    tag: String(told.tag || ""),
    lang: language,
    icon: "{{ icon|escapejs }}",
    data: { language },
  }));
});

addEventListener("notificationclick", (event) => {
  event.notification.close();
  // In a window of its own: in another one somebody may be filling in a form.
  event.waitUntil(clients.openWindow(INBOX[event.notification.data.language]));
});
