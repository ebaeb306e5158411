// Filters over the findings that the page holds. Without this script all of them are shown and can be read.
(() => {
  "use strict";

  const list = document.getElementById("list");
  const form = document.getElementById("filters");
  if (!list || !form) return;

  const rows = [...list.children];
  const status = document.getElementById("shown");
  const choices = [...form.querySelectorAll("select")];
  const search = form.querySelector("input");
  const texts = new Map();

  // What a row says, in lower case; read once, when it is first searched.
  const text = (row) => {
    if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
    return texts.get(row);
  };

  // Shows the rows that match, and says how many these are.
  const apply = () => {
    const wanted = choices.filter((choice) => choice.value !== "");
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const matches =
        wanted.every((choice) => row.dataset[choice.name] === choice.value) &&
        words.every((word) => text(row).includes(word));
      row.hidden = !matches;
      if (matches) shown += 1;
    }
    const number = (n) => n.toLocaleString("en");
    const noun = rows.length === 1 ? "finding" : "findings";
    status.textContent = `${number(shown)} of ${number(rows.length)} ${noun} shown`;
  };

  // Keeps the filter in the address, so that it survives a reload and can be handed on.
  const keep = () => {
    const kept = new URLSearchParams();
    for (const field of [search, ...choices]) {
      if (field.value !== "") kept.set(field.name, field.value);
    }
    const hash = kept.toString();
    history.replaceState(null, "", hash === "" ? "#findings" : `#${hash}`);
  };

  // Takes the filter from the address; an address that names a part of the page leaves the filter alone.
  const take = () => {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) return false;
    const kept = new URLSearchParams(hash);
    search.value = kept.get("q") ?? "";
    for (const choice of choices) {
      const value = kept.get(choice.name) ?? "";
      choice.value = [...choice.options].some((option) => option.value === value) ? value : "";
    }
    return true;
  };

  const open = (state) => {
    for (const row of rows) {
      if (!row.hidden) row.querySelector("details").open = state;
    }
  };

  form.addEventListener("input", () => {
    apply();
    keep();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => {
    // The fields are emptied only after this event.
    setTimeout(() => {
      apply();
      keep();
    });
  });
  document.getElementById("open").addEventListener("click", () => open(true));
  document.getElementById("close").addEventListener("click", () => open(false));
  addEventListener("hashchange", () => {
    if (!take()) return;
    apply();
    document.getElementById("findings").scrollIntoView();
  });

  // Paper can't be opened: what is shown is printed in full.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = rows.filter((row) => !row.hidden && !row.querySelector("details").open);
    for (const row of closed) row.querySelector("details").open = true;
  });
  addEventListener("afterprint", () => {
    for (const row of closed) row.querySelector("details").open = false;
  });

  for (const part of document.querySelectorAll("[data-script]")) part.hidden = false;
  take();
  apply();
})();
