// Photos: one that is too large to be sent is made smaller here. What a browser can't read is sent as it is, and the
// portal says what to do. Every form works without this.
(() => {
  "use strict";
  // As many as the portal keeps (accounts/safe_copy/pictures.py).
  const PIXELS = 12e6;

  // The picture as a smaller JPEG, upright; the file itself where that is not to be had.
  const shrunk = async (file, bytes) => {
    if (file.size <= bytes || !(file.type.startsWith("image/") || /\.hei[cf]$/i.test(file.name))) return file;
    try {
      const picture = await createImageBitmap(file);
      const scale = Math.min(1, Math.sqrt(PIXELS / (picture.width * picture.height)));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      const context = canvas.getContext("2d");
      // What is transparent would become black.
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      for (const quality of [0.88, 0.75, 0.6]) {
        const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
        if (blob && blob.size <= bytes) {
          return new File([blob], file.name.replace(/\.\w{2,5}$/, "") + ".jpg", { type: "image/jpeg" });
        }
      }
    } catch {
      // No picture, or one of a kind that this browser does not know.
    }
    return file;
  };

  for (const input of document.querySelectorAll("input[type=file][data-largest]")) {
    let working = null;
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      const work = Promise.all(chosen.map((file) => shrunk(file, Number(input.dataset.largest)))).then((files) => {
        // Something else may have been chosen meanwhile.
        if (working !== work) return;
        working = null;
        if (files.every((file, place) => file === chosen[place])) return;
        const list = new DataTransfer();
        for (const file of files) list.items.add(file);
        input.files = list.files;
      });
      working = work;
    });
    // A press before the photos are ready waits for them, and is then repeated.
    input.form?.addEventListener("submit", (event) => {
      if (!working) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const form = input.form, button = event.submitter;
      working.then(() => form.requestSubmit(button));
    }, true);
  }
})();
