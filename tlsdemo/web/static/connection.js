/* Replaces the sequence diagram of one connection when it has grown. The server has escaped all that
   a peer has chosen, and the page's policy runs nothing that stands in it. */
"use strict";

(() => {
  const diagram = document.querySelector("#diagram");
  const status = document.querySelector("#status");
  const number = Number(diagram.dataset.connection);
  const where = `/connections/${number}/diagram`;
  let seen = -1;
  let peer = null;
  let loading = false;
  let grown = false;

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  // What grows while it is being loaded is loaded afterwards.
  const load = async () => {
    grown = true;
    if (loading) return;
    loading = true;
    try {
      while (grown) {
        grown = false;
        const answer = await fetch(where);
        if (answer.ok) diagram.innerHTML = await answer.text();
        // Its worker does not answer now; the next event loads again.
        else seen = -1;
      }
    } catch {
      // The server does not answer; the stream says so, and what comes next loads again.
      seen = -1;
    } finally {
      loading = false;
    }
  };

  const follow = ({ connections }) => {
    if (!connections) return;
    const own = connections.find((each) => each.number === number);
    // A worker that replaces another one counts its connections from the beginning.
    if (!own || (peer && own.peer !== peer)) {
      say("no longer among the last connections: this is the last that was seen of it");
      stream.close();
      return;
    }
    peer = own.peer;
    say(own.state);
    if (own.seen !== seen) {
      seen = own.seen;
      load();
    }
  };

  const stream = followEvents({ history: follow, frame: follow }, say);
})();
