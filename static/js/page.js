/* What every page gains with script: copying plain figures, the theme without a reload, links that follow the address. */
(() => {
  "use strict";

  const showButtons = () => {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const words = button.textContent;
    await navigator.clipboard.writeText(button.dataset.copy);
    if (words === button.dataset.done) return;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = words; }, 1500);
  });

  // A page shows true minus signs; what is taken from it can be typed in anywhere.
  document.addEventListener("copy", (event) => {
    const active = document.activeElement;
    if (active && active.matches("input, textarea")) return;
    const text = String(document.getSelection());
    if (!text.includes("\u2212")) return;
    event.clipboardData.setData("text/plain", text.replaceAll("\u2212", "-"));
    event.preventDefault();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]")) return;
    event.preventDefault();
    const theme = event.submitter.value;
    const age = theme === "auto" ? 0 : 365 * 24 * 3600;
    document.cookie = `theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax`;
    document.documentElement.dataset.theme = theme;
    for (const choice of form.querySelectorAll("button")) {
      choice.setAttribute("aria-pressed", String(choice === event.submitter));
    }
  });

  // The other language shows the same question, also after the address has changed without a new page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-language-link]");
    if (!link) return;
    const prefix = new URL(link.href).pathname.split("/")[1];
    const here = location.pathname.split("/").slice(2).join("/");
    link.href = `/${prefix}/${here}${location.search}`;
  }, true);

  document.addEventListener("htmx:after:swap", showButtons);
  showButtons();
})();
