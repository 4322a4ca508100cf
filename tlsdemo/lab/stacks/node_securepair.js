// Node's `tls.createSecurePair()`, deprecated and gone from Node 24, between two pipes.
'use strict';

const tls = require('node:tls');
const { config, demands, factsFrom, listen, record, serveOne, talk, verdict, watch } =
  require('./node_common.js');

serveOne((socket, secureContext) => {
  watch(socket, 'net.Socket ');
  listen(socket, ['error']);
  record('connection');
  record('tls.createSecurePair called');
  const { requestCert, rejectUnauthorized } = demands();
  const pair = tls.createSecurePair(
    secureContext, true, requestCert, rejectUnauthorized,
    config.alpn.length ? { ALPNProtocols: config.alpn } : {},
  );
  factsFrom(pair.cleartext);
  record('tls.createSecurePair returned');
  listen(pair, ['secure', 'error', 'close']);
  listen(pair.cleartext);
  listen(pair.encrypted, ['error']);
  // Only now, or our own listening would be events.
  watch(pair, '', (name) => (name === 'secure' ? verdict(pair.cleartext) : undefined));
  watch(pair.cleartext, 'cleartext ');
  watch(pair.encrypted, 'encrypted ');
  socket.pipe(pair.encrypted);
  pair.encrypted.pipe(socket);
  // A pipe passes on an orderly end; a socket that was destroyed has to be told of by hand.
  socket.on('close', () => pair.encrypted.destroy());
  pair.cleartext.on('close', () => socket.end());
  talk(pair.cleartext);
  // Unlike a socket's, the end of what a pair reads does not end what it writes.
  pair.cleartext.on('end', () => {
    if (pair.cleartext.writableEnded) return;
    record('end called');
    pair.cleartext.end();
  });
});
