// What Django's fields for choosing lack: the name of the field, for whoever hears the page, and Kazakh words.
(() => {
  "use strict";
  const $ = window.django?.jQuery;
  const { searching, nothing, failed } = document.currentScript.dataset;
  if ($?.fn.select2) {
    $.fn.select2.defaults.set("language", {
      searching: () => searching,
      loadingMore: () => searching,
      noResults: () => nothing,
      errorLoading: () => failed,
    });
    // Its list opens inside of the page's main part, where whoever hears the page looks for it.
    $.fn.select2.defaults.set("dropdownParent", $("#content"));
    // After Django has made them out of its lists.
    $(() => $(".admin-autocomplete").each((_at, list) => name(list)));
  }
  const name = (list) => {
    const label = document.querySelector(`label[for="${list.id}"]`);
    const field = list.nextElementSibling?.querySelector(".select2-selection");
    if (!label || !field) return;
    label.id ||= `${list.id}_label`;
    const chosen = field.querySelector(".select2-selection__rendered");
    field.setAttribute("aria-labelledby", `${label.id} ${chosen.id}`);
    chosen.setAttribute("aria-labelledby", label.id);
    $(list).on("select2:open", () => {
      for (const part of document.querySelectorAll(".select2-search__field, .select2-results__options")) {
        part.setAttribute("aria-labelledby", label.id);
      }
    });
  };
  // The two lists of a field for many: their icons have a name, and nothing that could have one.
  window.addEventListener("load", () => {
    for (const icon of document.querySelectorAll(".selector .help-tooltip")) icon.setAttribute("role", "img");
  });
})();
