/* Replaces the sequence diagram of one connection when it has grown. The server has escaped all that
   a peer has chosen, and the page's policy runs nothing that stands in it. */
"use strict";

(() => {
  const diagram = document.querySelector("#diagram");
  const status = document.querySelector("#status");
  const number = Number(diagram.dataset.connection);
  const where = `/connections/${number}/diagram`;
  let seen = -1;
  let loading = false;

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  const load = async () => {
    if (loading) return;
    loading = true;
    try {
      const answer = await fetch(where);
      if (answer.ok) diagram.innerHTML = await answer.text();
    } finally {
      loading = false;
    }
  };

  const follow = (event) => {
    const { connections } = JSON.parse(event.data);
    if (!connections) return;
    const own = connections.find((each) => each.number === number);
    if (!own) {
      say("no longer among the last connections: this is the last that was seen of it");
      stream.close();
      return;
    }
    say(own.state);
    if (own.seen !== seen) {
      seen = own.seen;
      load();
    }
  };

  const stream = new EventSource("/events");
  stream.addEventListener("history", follow);
  stream.addEventListener("frame", follow);
  stream.onerror = () => say("connecting again …");
})();
