// The point of a kindergarten, chosen by a press on a map. Without this, two numbers are typed.
(() => {
  "use strict";
  const words = document.currentScript.dataset;
  const latitude = document.getElementById("id_latitude");
  const longitude = document.getElementById("id_longitude");
  if (!latitude || !longitude) return;

  const box = document.createElement("details");
  const title = document.createElement("summary");
  title.textContent = words.choose;
  const about = document.createElement("p");
  about.textContent = words.about;
  const canvas = document.createElement("div");
  canvas.className = "map-point";
  canvas.setAttribute("role", "group");
  canvas.setAttribute("aria-label", words.choose);
  box.className = "map-choice";
  box.append(title, about, canvas);
  (longitude.closest(".form-row") ?? longitude.parentElement).append(box);

  const start = () => {
    const map = L.map(canvas, { zoomControl: false, minZoom: 4, maxZoom: 17 });
    map.attributionControl.setPrefix(false);
    L.control.zoom({ zoomInTitle: words.closer, zoomOutTitle: words.farther }).addTo(map);
    addScale(map, words);
    addTiles(map, words);
    for (const [north, east, name] of JSON.parse(document.getElementById("map-others").textContent)) {
      const label = document.createElement("span");
      label.textContent = name;
      L.circleMarker([north, east], { radius: 5, className: "map-point__other" }).bindTooltip(label).addTo(map);
    }
    const mark = L.circleMarker([0, 0], { radius: 9, className: "map-point__here", interactive: false });
    const read = () => {
      const [north, east] = [latitude, longitude].map((field) => Number.parseFloat(field.value.replace(",", ".")));
      if (Number.isNaN(north) || Number.isNaN(east)) return null;
      return mark.setLatLng([north, east]).addTo(map).getLatLng();
    };
    const here = read();
    const [west, south, east, north] = words.bounds.split(",").map(Number);
    if (here) map.setView(here, 15);
    else map.fitBounds([[south, west], [north, east]]);
    const write = ({ lat, lng }) => {
      latitude.value = lat.toFixed(6);
      longitude.value = lng.toFixed(6);
      for (const field of [latitude, longitude]) field.dispatchEvent(new Event("input", { bubbles: true }));
    };
    map.on("click", (event) => write(event.latlng.wrap()));
    // By the keyboard: what is in the middle of the map.
    canvas.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== canvas) return;
      event.preventDefault();
      write(map.getCenter().wrap());
    });
    for (const field of [latitude, longitude]) field.addEventListener("input", read);
  };

  box.addEventListener("toggle", () => loadLeaflet(words).then(start).catch(() => (about.textContent = words.failed)), { once: true });
})();
