// Starts the widgets that Wagtail would start by inline scripts, which our script policy forbids.
(() => {
  const started = new WeakSet();
  const start = (mark) => {
    if (started.has(mark)) return;
    started.add(mark);
    const { newsroom, call, target, options } = mark.dataset;
    const made = window[call];
    if (typeof made !== "function") return;
    const settings = JSON.parse(options);
    if (newsroom === "calendar") made(target, settings);
    else if (newsroom === "panel") new made(settings);
    else if (made.prototype && Object.getOwnPropertyNames(made.prototype).length > 1) new made(target, settings);
    else made(target, settings);
  };
  const startAll = (root) => root.querySelectorAll("[data-newsroom]").forEach(start);
  const begin = () => {
    startAll(document);
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes)
        for (const node of addedNodes)
          if (node.nodeType === Node.ELEMENT_NODE) {
            if (node.matches("[data-newsroom]")) start(node);
            startAll(node);
          }
    }).observe(document.body, { childList: true, subtree: true });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
