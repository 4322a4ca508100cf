// Node's `new tls.TLSSocket(socket, {isServer: true})` on an accepted connection.
'use strict';

const tls = require('node:tls');
const { addListeners, clientAuthOptions, config, factsFrom, record, recordEvents, runScript,
        serveOne, verifyResult } =
  require('./node_common.js');

serveOne((socket, secureContext) => {
  recordEvents(socket, 'net.Socket ');
  record('connection');
  record('new tls.TLSSocket called');
  const secured = new tls.TLSSocket(socket, {
    isServer: true,
    secureContext,
    ...clientAuthOptions(),
    ...(config.alpn.length ? { ALPNProtocols: config.alpn } : {}),
  });
  factsFrom(secured);
  record('new tls.TLSSocket returned');
  addListeners(secured);
  // Not earlier, or the calls above would be recorded as events.
  recordEvents(secured, '', (name) => (name === 'secure' ? verifyResult(secured) : undefined));
  runScript(secured);
});
