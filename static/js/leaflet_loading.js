// What lies under the marks, if the portal has tiles.
globalThis.addTiles = (map, { tiles, attribution }) => {
  if (!tiles) return;
  // Leaflet takes markup.
  const words = document.createElement("span");
  words.textContent = attribution;
  L.tileLayer(tiles, { maxZoom: map.getMaxZoom(), attribution: words.innerHTML }).addTo(map);
};

// The scale of a map, in the words of the page.
globalThis.addScale = (map, words) => {
  const Scale = L.Control.Scale.extend({
    _updateMetric(most) {
      const round = this._getRoundNum(most);
      const text = (round < 1000 ? words.metres : words.kilometres).replace("0", round < 1000 ? round : round / 1000);
      this._updateScale(this._mScale, text, round / most);
    },
  });
  new Scale({ imperial: false }).addTo(map);
};

// Leaflet with its style sheet, from the addresses that the script of a map was given.
globalThis.loadLeaflet = ({ leafletJs, leafletCss }) =>
  new Promise((done, failed) => {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = leafletCss;
    const script = document.createElement("script");
    script.src = leafletJs;
    let missing = 2;
    for (const part of [style, script]) {
      part.addEventListener("load", () => --missing || done());
      part.addEventListener("error", failed);
      document.head.append(part);
    }
  });
