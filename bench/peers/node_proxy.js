// node node_proxy.js VARIANT PORT CERT KEY [CA]: the proxy of the original demonstration, rewritten.
//
// Accepts plain sockets, secures each with new tls.TLSSocket() or tls.createSecurePair() (VARIANT is
// tlssocket or securepair), requires a client certificate, and pipes the cleartext to the plain
// backend at PORT and back; pipe() is flow control in both directions. Prints
// {"port": …, "versions": …}, or {"unavailable": …} if this Node.js lacks the variant.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');

const BACKLOG = 4096;

const [variant, backendPort, cert, key, ca] = process.argv.slice(2);
const secureContext = tls.createSecureContext({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: ca ? fs.readFileSync(ca) : undefined,
});
const verifies = Boolean(ca);

// Each variant returns the cleartext stream, and calls back at the event `secure`, which is not
// documented; the documented `secureConnect` is never emitted.
const variants = {
  tlssocket(socket, secured) {
    const cleartext = new tls.TLSSocket(socket, {
      isServer: true, secureContext, requestCert: verifies, rejectUnauthorized: verifies,
    });
    cleartext.once('secure', () => secured(cleartext.ssl));
    return cleartext;
  },

  securepair(socket, secured) {
    const pair = tls.createSecurePair(secureContext, true, verifies, verifies);
    socket.pipe(pair.encrypted).pipe(socket);
    pair.encrypted.on('error', () => socket.destroy());
    pair.once('secure', () => secured(pair.cleartext.ssl));
    return pair.cleartext;
  },
};

function serve(socket) {
  let backend = null;
  const cleartext = variants[variant](socket, (ssl) => {
    // Without a tls.Server, the result of the verification has to be checked explicitly.
    if (verifies && ssl.verifyError()) {
      socket.destroy();
      return;
    }
    backend = net.connect(Number(backendPort), '127.0.0.1');
    backend.on('error', () => socket.destroy());
    cleartext.pipe(backend).pipe(cleartext);
  });
  // pipe() forwards the end of a stream; a truncated stream has to be truncated for the backend too.
  cleartext.on('close', () => {
    if (backend !== null && !cleartext.readableEnded) backend.destroy();
  });
  cleartext.on('error', () => socket.destroy());
  socket.on('error', () => cleartext.destroy());
}

process.noDeprecation = true;
if (variant === 'securepair' && typeof tls.createSecurePair !== 'function') {
  const unavailable = `Node.js ${process.versions.node} has no tls.createSecurePair() any more`;
  console.log(JSON.stringify({unavailable}));
  process.exit(0);
}
const server = net.createServer(serve);
server.listen({port: 0, host: '127.0.0.1', backlog: BACKLOG}, () => {
  const versions = {'Node.js': process.versions.node, 'OpenSSL': process.versions.openssl};
  console.log(JSON.stringify({port: server.address().port, versions}));
});
