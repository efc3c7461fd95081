// The map that moves under a finger, drawn by Leaflet with the marks that the portal counted. It is loaded when somebody
// touches the map: a first view stays light. Without it, the drawn map, its buttons and the list do the same.
(() => {
  "use strict";
  const PAUSE = 250;
  const words = document.currentScript.dataset;
  const drawn = document.getElementById("map");
  const found = document.getElementById("found");
  if (!drawn || !found) return;
  const box = drawn.parentElement;

  // Where the visitor is, if they said so: then what they look at stands in no address, and the nearest stay listed.
  const home = drawn.dataset.home?.split(",").map(Number);

  const metres = (one, other) => {
    const [lat1, lon1, lat2, lon2] = [...one, ...other].map((degrees) => (degrees * Math.PI) / 180);
    const half =
      Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin((lon2 - lon1) / 2) ** 2;
    return 2 * 6371008.8 * Math.asin(Math.min(1, Math.sqrt(half)));
  };
  const point = (element) => element.dataset.at.split(",").map(Number);

  // --- the map ---

  let loading = null;
  const live = () => (loading ??= loadLeaflet(words).then(start).catch(() => null));

  const start = () => {
    const canvas = document.createElement("div");
    canvas.className = "map-live";
    canvas.setAttribute("role", "group");
    canvas.setAttribute("aria-label", drawn.getAttribute("aria-label"));
    canvas.style.aspectRatio = drawn.getAttribute("viewBox").split(" ").slice(2).join(" / ");
    box.prepend(canvas);
    const hadFocus = box.contains(document.activeElement);
    for (const one of [...box.children]) one.toggleAttribute("hidden", one !== canvas);

    const map = L.map(canvas, { zoomControl: false, minZoom: 4, maxZoom: 17, zoomSnap: 1, maxBoundsViscosity: 1 });
    map.attributionControl.setPrefix(false);
    L.control.zoom({ zoomInTitle: words.closer, zoomOutTitle: words.farther }).addTo(map);
    addScale(map, words);
    addTiles(map, words);
    const marks = L.layerGroup().addTo(map);
    const [west, south, east, north] = drawn.dataset.bounds.split(",").map(Number);
    map.fitBounds([[south, west], [north, east]], { animate: false });

    const draw = (links) => {
      marks.clearLayers();
      for (const link of links) {
        const pin = document.createElement("a");
        pin.className = "map__pin";
        pin.href = link.getAttribute("href");
        pin.dataset.at = link.dataset.at;
        pin.title = link.querySelector("title").textContent;
        pin.setAttribute("aria-label", pin.title);
        const shape = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        shape.setAttribute("viewBox", "-22 -22 44 44");
        shape.setAttribute("aria-hidden", "true");
        for (const part of link.querySelectorAll("use, text")) {
          const copy = part.cloneNode(true);
          copy.removeAttribute("x");
          copy.removeAttribute("y");
          shape.append(copy);
        }
        pin.append(shape);
        const inside = new URL(pin.href).searchParams.get("bounds");
        if (inside) {
          pin.addEventListener("click", (event) => {
            event.preventDefault();
            const [left, bottom, right, top] = inside.split(",").map(Number);
            const before = map.getZoom();
            map.fitBounds([[bottom, left], [top, right]], { padding: [28, 28] });
            if (before === map.getMaxZoom()) found.scrollIntoView();
          });
        }
        L.marker(point(link), {
          icon: L.divIcon({ className: "map__pin-box", html: pin, iconSize: [44, 44] }),
          interactive: false,
          keyboard: false,
        }).addTo(marks);
      }
    };
    draw(drawn.querySelectorAll(".map__mark"));

    // The list follows the map. What is asked for is rounded outwards: nobody reads from it where exactly somebody looks.
    let waiting = 0;
    let newest = 0;
    const ask = async () => {
      const asked = ++newest;
      const step = 360 / 2 ** map.getZoom() / 16;
      const seen = map.getBounds();
      const outwards = (degrees, round) => (round(degrees / step) * step).toFixed(5);
      const here = new URL(location.href);
      here.searchParams.delete("page");
      const part = {
        bounds: [
          outwards(seen.getWest(), Math.floor),
          outwards(seen.getSouth(), Math.floor),
          outwards(seen.getEast(), Math.ceil),
          outwards(seen.getNorth(), Math.ceil),
        ].join(","),
        zoom: map.getZoom(),
      };
      let sent = {};
      if (home) {
        const { value } = document.querySelector("[name=csrfmiddlewaretoken]");
        sent = { method: "POST", body: new URLSearchParams({ ...part, csrfmiddlewaretoken: value }) };
      } else {
        for (const [name, value] of Object.entries(part)) here.searchParams.set(name, value);
      }
      const answer = await fetch(here, sent).catch(() => null);
      if (asked !== newest || !answer?.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const list = page.getElementById("found");
      if (asked !== newest || !list) return;
      draw(page.querySelectorAll(".map__mark"));
      if (home) return;
      found.querySelector("h2").textContent = list.querySelector("h2").textContent;
      found.replaceChildren(found.querySelector("h2"), ...[...list.children].filter((one) => one.tagName !== "H2"));
      history.replaceState(history.state, "", here);
    };
    found.querySelector("h2").setAttribute("aria-live", "polite");
    map.on("moveend", () => {
      clearTimeout(waiting);
      waiting = setTimeout(ask, PAUSE);
    });

    // A row and its mark show each other. A row of several stands in the nearest mark.
    const show = (rows, pins) => {
      for (const one of document.querySelectorAll(".is-found")) one.classList.remove("is-found");
      for (const one of [...rows, ...pins]) one.classList.add("is-found");
    };
    const near = (event) => {
      const row = event.target.closest?.("#found [data-at]");
      const pin = event.target.closest?.(".map__pin");
      if (row) {
        const pins = [...canvas.querySelectorAll(".map__pin")];
        const away = (one) => metres(point(one), point(row));
        show([row], pins.sort((one, other) => away(one) - away(other)).slice(0, 1));
      } else if (pin) {
        show(found.querySelectorAll(`[data-at="${pin.dataset.at}"]`), [pin]);
      }
    };
    document.addEventListener("pointerover", near);
    document.addEventListener("focusin", near);

    if (hadFocus) canvas.focus();
    if (home) L.circleMarker(home, { radius: 8, className: "map__home", interactive: false }).addTo(map);
  };

  for (const touch of ["pointerenter", "touchstart", "focusin"]) {
    box.addEventListener(touch, live, { once: true, passive: true });
  }
})();
