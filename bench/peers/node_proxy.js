// node node_proxy.js WAY PORT CERT KEY CA: the original demonstration's proxy, written anew.
//
// Accepts plain sockets, secures each in one of its two ways (tlssocket or securepair), demands a
// certificate of the client, and pipes the cleartext to the plain backend at PORT and back; pipe()
// is flow control in both directions. Says {"port": …, "versions": …} on its standard output, or
// {"unavailable": …} if this Node.js does not have what it takes.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');

const BACKLOG = 512;

const [way, backendPort, cert, key, ca] = process.argv.slice(2);
const secureContext = tls.createSecureContext({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
});

// Each way returns the cleartext stream, and calls back when it is secure: the event is `secure`,
// which is not documented; the documented `secureConnect` never fires here.
const ways = {
  tlssocket(socket, secured) {
    const cleartext = new tls.TLSSocket(socket, {
      isServer: true, secureContext, requestCert: true, rejectUnauthorized: true,
    });
    cleartext.once('secure', () => secured(cleartext.ssl));
    return cleartext;
  },

  securepair(socket, secured) {
    const pair = tls.createSecurePair(secureContext, true, true, true);
    socket.pipe(pair.encrypted).pipe(socket);
    pair.encrypted.on('error', () => socket.destroy());
    pair.once('secure', () => secured(pair.cleartext.ssl));
    return pair.cleartext;
  },
};

function serve(socket) {
  let backend = null;
  const cleartext = ways[way](socket, (ssl) => {
    // Without a tls.Server nobody else looks at what the verification found.
    if (ssl.verifyError()) {
      socket.destroy();
      return;
    }
    backend = net.connect(Number(backendPort), '127.0.0.1');
    backend.on('error', () => socket.destroy());
    cleartext.pipe(backend).pipe(cleartext);
  });
  // A stream that ended has been passed on by pipe(); one that was cut off is cut off there too.
  cleartext.on('close', () => {
    if (backend !== null && !cleartext.readableEnded) backend.destroy();
  });
  cleartext.on('error', () => socket.destroy());
  socket.on('error', () => cleartext.destroy());
}

process.noDeprecation = true;
if (way === 'securepair' && typeof tls.createSecurePair !== 'function') {
  const unavailable = `Node.js ${process.versions.node} has no tls.createSecurePair() any more`;
  console.log(JSON.stringify({unavailable}));
  process.exit(0);
}
const server = net.createServer(serve);
server.listen({port: 0, host: '127.0.0.1', backlog: BACKLOG}, () => {
  const versions = {'Node.js': process.versions.node, 'OpenSSL': process.versions.openssl};
  console.log(JSON.stringify({port: server.address().port, versions}));
});
