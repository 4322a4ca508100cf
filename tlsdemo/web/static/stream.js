/* The events of a page, which connects again when nothing comes: a server that is frozen, or a network
   that is gone, closes nothing. */
"use strict";

const followEvents = (handlers, say) => {
  // Updates come twice a second, and less often only if one takes long.
  const SILENCE = 10_000;
  let heard = Date.now();
  let tried = heard;
  let stream = null;

  const unanswered = () => say(`no answer since ${new Date(heard).toLocaleTimeString()}; connecting again …`);

  const connect = () => {
    tried = Date.now();
    stream?.close();
    stream = new EventSource("/events");
    for (const [name, handle] of Object.entries(handlers)) {
      stream.addEventListener(name, (event) => {
        heard = tried = Date.now();
        handle(JSON.parse(event.data));
      });
    }
    stream.onerror = unanswered;
  };

  const watch = setInterval(() => {
    if (Date.now() - tried > SILENCE) {
      unanswered();
      connect();
    }
  }, 1000);
  connect();
  return {
    close: () => {
      clearInterval(watch);
      stream.close();
    },
  };
};
