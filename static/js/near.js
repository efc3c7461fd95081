"use strict";

// Where the visitor is, asked for by a press alone, and sent in a form: so it stands in no address.
for (const button of document.querySelectorAll("button[data-near]")) {
  const form = button.form, status = form.querySelector("[role=status]");
  form.hidden = !navigator.geolocation;
  button.addEventListener("click", () => {
    status.textContent = button.dataset.asking;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.latitude.value = coords.latitude.toFixed(3);
        form.elements.longitude.value = coords.longitude.toFixed(3);
        form.submit();
      },
      () => { status.textContent = button.dataset.failed; },
      { maximumAge: 600000, timeout: 20000 },
    );
  });
}
