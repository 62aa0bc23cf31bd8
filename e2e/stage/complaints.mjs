// What a page complains of: errors, and requests to anybody but its own server.

/** Adds to a list whatever this page complains of from here on. */
export function collectsComplaints(page, complaints) {
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !isAboutTheNetwork(message.text())) {
      complaints.push(`console: ${message.text()}`);
    }
  });
  page.on('request', (request) => {
    const { hostname, protocol } = new URL(request.url());
    if (hostname !== '127.0.0.1' && protocol.startsWith('http')) {
      complaints.push(`a request to somebody else: ${request.url()}`);
    }
  });
}

/** The browser itself reports what a story breaks on purpose: refused and reset connections. */
function isAboutTheNetwork(line) {
  return /^(WebSocket connection to|Failed to load resource)/.test(line);
}
