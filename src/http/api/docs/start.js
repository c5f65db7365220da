"use strict";

// Dark where the system wishes it.
const dark = matchMedia("(prefers-color-scheme: dark)");
const shade = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", shade);
shade();

// A link within the button that unfolds an operation cannot be reached: its text stands there by itself.
const WithoutNestedLinks = ({ React }) => ({
  wrapComponents: { DeepLink: () => ({ text }) => React.createElement("span", null, text) },
});

// Nothing is asked of other hosts: no validator, no remote definitions.
window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [WithoutNestedLinks],
});

// What Swagger UI leaves without a name, a level or a way in by the keyboard, as it comes.
const LEVELS = [[".opblock-tag, .models h4", 2], [".opblock h4", 3], ["h5", 4]];
const nameOf = (field) => {
  const row = field.closest("tr[data-param-name]");
  const operation = field.closest(".opblock")?.querySelector(".opblock-summary-path")?.textContent ?? "";
  if (row) return row.dataset.paramName;
  if (field.matches("textarea")) return `Body of ${operation}`;
  if (field.matches("button")) return "Copy";
  return field.placeholder || `Choice, ${operation}`;
};
const mend = () => {
  const api = document.querySelector("#api");
  for (const [which, level] of LEVELS) for (const heading of api.querySelectorAll(which)) heading.setAttribute("aria-level", level);
  for (const field of api.querySelectorAll("input, select, textarea")) {
    if (!field.labels?.length && !field.hasAttribute("aria-label")) field.setAttribute("aria-label", nameOf(field));
  }
  for (const button of api.querySelectorAll("button:not([aria-label])")) {
    if (!button.textContent.trim() && !button.title) button.setAttribute("aria-label", nameOf(button));
  }
  for (const table of api.querySelectorAll("table[role=region]:not([aria-label])")) {
    table.setAttribute("aria-label", `Responses of ${table.id.replace(/_responses$/, "").replaceAll("_", " ")}`);
  }
  for (const box of api.querySelectorAll("pre.example:not([tabindex]), pre.microlight:not([tabindex])")) box.tabIndex = 0;
};
new MutationObserver(mend).observe(document.querySelector("#api"), { childList: true, subtree: true });
