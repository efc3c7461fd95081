"use strict";

// Where the visitor is, asked for by a press alone, and sent in a form: so it stands in no address. A form with a field
// `point` is not sent at once: what is kept on an account is coarser, and only saved by its own button.
for (const button of document.querySelectorAll("button[data-near]")) {
  const form = button.form, box = button.closest("[data-near-box]"), status = box.querySelector("[role=status]");
  const { point, latitude, longitude, around } = form.elements;
  const step = Number(button.dataset.near) || 0.001;
  const rounded = (degrees) => (Math.round(degrees / step) * step).toFixed(3);
  box.hidden = !navigator.geolocation;
  button.addEventListener("click", () => {
    status.textContent = button.dataset.asking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        if (!point) {
          latitude.value = rounded(coords.latitude);
          longitude.value = rounded(coords.longitude);
          form.submit();
          return;
        }
        point.value = `${rounded(coords.latitude)}:${rounded(coords.longitude)}`;
        const mine = [...around.options].find((one) => one.value === "me") ?? new Option(button.dataset.mine, "me");
        around.add(mine, 1);
        mine.selected = true;
        status.textContent = button.dataset.done;
      },
      () => { status.textContent = button.dataset.failed; },
      { maximumAge: 600000, timeout: 20000 },
    );
  });
}
