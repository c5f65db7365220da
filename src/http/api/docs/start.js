"use strict";

// Swagger UI, with what it lacks for those who read the page aloud or use it by keyboard.

// Its style sheet has colours for the dark under a class; the reader's system says when.
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

const plugin = {
  wrapComponents: {
    // A link inside of the button that unfolds an operation is out of reach for a screen reader.
    // The address of an operation is still in the address bar once it is unfolded.
    DeepLink: (_original, { React }) => ({ text }) => React.createElement("span", { className: "nostyle" }, text),
    // The headings of the groups are of the third level: this is the second above them.
    InfoContainer: (Original, { React }) => (props) =>
      React.createElement(
        React.Fragment,
        null,
        React.createElement(Original, props),
        React.createElement("h2", null, "Operations"),
      ),
  },
};

/** Sets attributes of all that a selector finds, but for those that are right already. */
const set = (selector, attributes) => {
  for (const element of document.querySelectorAll(selector)) {
    for (const [name, value] of Object.entries(attributes)) {
      const wanted = typeof value === "function" ? value(element) : value;
      if (wanted === null) element.removeAttribute(name);
      else if (element.getAttribute(name) !== wanted) element.setAttribute(name, wanted);
    }
  }
};

const FIELDS = ["input", "select", "textarea"];
const within = (selector) => FIELDS.map((field) => `${selector} ${field}:not(.content-type)`).join();

/** Gives names, levels and a way in by keyboard to what Swagger UI made without. */
const name = () => {
  set(within("tr[data-param-name]"), { "aria-label": (field) => field.closest("tr").dataset.paramName });
  set(within(".opblock-section-request-body .opblock-description-wrapper"), {
    "aria-label": (field) => field.closest("tr[data-property-name]")?.dataset.propertyName ?? "Request body",
  });
  set(".operation-filter-input", { "aria-label": "Filter by tag" });
  set(".copy-to-clipboard > button", { "aria-label": "Copy" });
  set(".close-modal", { "aria-label": "Close" });
  // What it is read as has to be what is seen.
  set(".modal-btn", { "aria-label": null });
  set(".view-line-link", { role: "button", tabindex: "0", "aria-label": "Copy the path" });
  // Long texts scroll.
  set("pre.microlight", { role: "group", tabindex: "0", "aria-label": "Text" });
  set("section.models > h4", { role: "heading", "aria-level": "2" });
  set("h6", { role: "heading", "aria-level": "5" });
  set(".json-schema-2020-12-accordion", { "aria-label": (button) => (button.textContent.trim() ? null : "Unfold") });
  // A table that is a region is none any more.
  set(".responses-table", { role: null });
};

// Only attributes are set, which are not watched: this does not call itself.
new MutationObserver(name).observe(document.getElementById("api"), { childList: true, subtree: true });

document.addEventListener("keydown", (event) => {
  if (!event.target.matches(".view-line-link") || !["Enter", " "].includes(event.key)) return;
  event.preventDefault();
  event.target.click();
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
  plugins: [plugin],
  queryConfigEnabled: false,
  // Its first theme has numbers that are too dim.
  syntaxHighlight: { theme: "tomorrow-night" },
  tryItOutEnabled: true,
  validatorUrl: null,
});
