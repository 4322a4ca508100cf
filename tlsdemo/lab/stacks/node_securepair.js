// Node's `tls.createSecurePair()`, deprecated and gone from Node 24, between two pipes.
'use strict';

const tls = require('node:tls');
const { addListeners, clientAuthOptions, config, factsFrom, record, recordEvents, runScript,
        serveOne, verifyResult } =
  require('./node_common.js');

serveOne((socket, secureContext) => {
  recordEvents(socket, 'net.Socket ');
  addListeners(socket, ['error']);
  record('connection');
  record('tls.createSecurePair called');
  const { requestCert, rejectUnauthorized } = clientAuthOptions();
  const pair = tls.createSecurePair(
    secureContext, true, requestCert, rejectUnauthorized,
    config.alpn.length ? { ALPNProtocols: config.alpn } : {},
  );
  factsFrom(pair.cleartext);
  record('tls.createSecurePair returned');
  addListeners(pair, ['secure', 'error', 'close']);
  addListeners(pair.cleartext);
  addListeners(pair.encrypted, ['error']);
  // Not earlier, or the calls above would be recorded as events.
  recordEvents(pair, '', (name) => (name === 'secure' ? verifyResult(pair.cleartext) : undefined));
  recordEvents(pair.cleartext, 'cleartext ');
  recordEvents(pair.encrypted, 'encrypted ');
  socket.pipe(pair.encrypted);
  pair.encrypted.pipe(socket);
  // A pipe only forwards a FIN; the end of a destroyed socket has to be forwarded by hand.
  socket.on('close', () => pair.encrypted.destroy());
  pair.cleartext.on('close', () => socket.end());
  runScript(pair.cleartext);
  // Unlike with a socket, the end of the readable side of a pair does not end the writable side.
  pair.cleartext.on('end', () => {
    if (pair.cleartext.writableEnded) return;
    record('end called');
    pair.cleartext.end();
  });
});
