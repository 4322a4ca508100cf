// Node's `new tls.TLSSocket(socket, {isServer: true})` on an accepted connection.
'use strict';

const tls = require('node:tls');
const { config, demands, factsFrom, listen, record, serveOne, talk, verdict, watch } =
  require('./node_common.js');

serveOne((socket, secureContext) => {
  watch(socket, 'net.Socket ');
  record('connection');
  record('new tls.TLSSocket called');
  const secured = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ...demands(),
    ...(config.alpn.length ? { ALPNProtocols: config.alpn } : {}),
  });
  factsFrom(secured);
  record('new tls.TLSSocket returned');
  listen(secured);
  // Only now, or our own listening would be events.
  watch(secured, '', (name) => (name === 'secure' ? verdict(secured) : undefined));
  talk(secured);
});
