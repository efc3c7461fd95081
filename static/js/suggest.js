// Suggestions while a name is typed, where the page carries none itself. Without this, words are typed and sent.
(() => {
  "use strict";
  const PAUSE = 250;
  const list = document.querySelector("datalist[data-suggest]");
  // Few names are all on the page already.
  if (!list || list.options.length) return;
  let waiting = 0;
  let newest = 0;
  const suggest = async (typed) => {
    const asked = ++newest;
    const answer = await fetch(`${list.dataset.suggest}?q=${encodeURIComponent(typed)}`).catch(() => null);
    // A slow answer must not replace a newer one; a failed one leaves what is there.
    if (asked !== newest || !answer?.ok) return;
    const { names } = await answer.json();
    list.replaceChildren(
      ...names.map((name) => {
        const option = document.createElement("option");
        option.value = name;
        return option;
      }),
    );
  };
  document.addEventListener("input", (event) => {
    if (event.target.list !== list) return;
    clearTimeout(waiting);
    const typed = event.target.value.trim();
    if (typed.length > 1) waiting = setTimeout(() => suggest(typed), PAUSE);
  });
})();
