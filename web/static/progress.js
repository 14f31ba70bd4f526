// Shows how far something has come: each event holds the HTML that takes the place of what is shown.
"use strict";
for (const shown of document.querySelectorAll("[data-events]")) {
  const events = new EventSource(shown.dataset.events);
  events.onmessage = (event) => {
    const news = JSON.parse(event.data);
    shown.innerHTML = news.html;
    if (news.ended) {
      events.close();
      if ("reload" in shown.dataset) location.reload(); // the page has more to show then
    }
  };
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 2000); // too many watch
  };
}
