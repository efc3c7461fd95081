// Forms: what was wrong comes first, nothing is sent twice or lost unasked, a password can be looked at. Every form works
// without this.
(() => {
  "use strict";
  const texts = document.currentScript.dataset;

  // The first thing to read after a refused form is what was wrong with it.
  document.querySelector(".error-summary")?.focus();
  // Whoever came by the skip link has #main in the address; the answer would inherit it, and the focus go there.
  addEventListener("submit", ({ target }) => {
    if (!target.hasAttribute("action")) target.setAttribute("action", location.pathname + location.search);
  });

  // A second click must not send a form twice; "back" gives the button to the reader again.
  const labels = new Map();
  for (const form of document.querySelectorAll("form[data-guard]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) return event.preventDefault();
      form.dataset.sent = "1";
      const button = event.submitter || form.querySelector("button");
      // A disabled button is left out of the form, so it is disabled only after the form has been read.
      setTimeout(() => {
        if (!button) return;
        labels.set(button, [...button.childNodes]);
        button.replaceChildren(texts.sending);
        button.setAttribute("aria-disabled", "true");
      });
    });
  }
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
    }
    for (const [button, label] of labels) {
      button.replaceChildren(...label);
      button.removeAttribute("aria-disabled");
    }
    labels.clear();
  });

  // Another language or place is another page: what was typed into this one would be gone.
  const isChanged = (field) => {
    if (field.type === "file") return field.files.length > 0;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (!field.options) return field.type !== "hidden" && field.value !== field.defaultValue;
    const given = [...field.options].findIndex((option) => option.defaultSelected);
    return field.selectedIndex !== Math.max(given, 0);
  };
  const mayLeave = () => {
    const fields = document.querySelectorAll("main form[method=post] :is(input, select, textarea)");
    const isUnsent = document.querySelector("main .has-error") || [...fields].some(isChanged);
    return !isUnsent || confirm(texts.unsent);
  };
  addEventListener("click", (event) => {
    const isNewTab = event.ctrlKey || event.metaKey || event.shiftKey;
    if (event.target.closest(".lang a") && !isNewTab && !mayLeave()) event.preventDefault();
  });
  addEventListener("submit", (event) => {
    if (event.target.closest(".menu--place") && !mayLeave()) event.preventDefault();
  });

  for (const input of document.querySelectorAll("input[type=password]")) {
    const box = document.createElement("div");
    const button = document.createElement("button");
    box.className = "reveal";
    button.type = "button";
    button.className = "button button--secondary";
    button.setAttribute("aria-controls", input.id);
    const show = (visible) => {
      input.type = visible ? "text" : "password";
      button.textContent = visible ? texts.hide : texts.show;
      button.setAttribute("aria-pressed", String(visible));
    };
    input.replaceWith(box);
    box.append(input, button);
    show(false);
    button.addEventListener("click", () => show(input.type === "password"));
    input.form?.addEventListener("submit", () => show(false));
  }
})();
