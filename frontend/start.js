// What must work when the program itself does not: the language of the shell, and a plain word
// with a way out when the program cannot start or has stopped. It stands outside of the program
// and knows nothing of it.
(() => {
  const chosen = (() => {
    try {
      return localStorage.getItem("madang.language");
    } catch {
      return null;
    }
  })();
  document.documentElement.lang = (chosen ?? navigator.language).startsWith("ko") ? "ko" : "en";
  try {
    const theme = localStorage.getItem("madang.theme");
    if (theme) document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's colours are used.
  }

  let failed = null;
  addEventListener("DOMContentLoaded", () => {
    failed = document.getElementById("start-failed");
  });
  const stops = (reason) => {
    const started = !document.getElementById("start");
    // Once it runs, only a stopped program counts: a refused clipboard is no reason for alarm.
    if (!failed || (started && !(reason instanceof WebAssembly.RuntimeError))) return;
    failed.hidden = false;
    if (started) document.body.append(failed);
  };
  addEventListener("error", (event) => stops(event.error));
  addEventListener("unhandledrejection", (event) => stops(event.reason));
})();
