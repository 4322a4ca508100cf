// node node_pipeline.js VARIANT SIZE SECONDS CERT KEY CA CLIENT_CERT CLIENT_KEY: Node's own workload.
//
// Client, proxy and sink in one process, as Node's benchmark/tls/secure-pair.js has them: the client
// writes SIZE bytes as often as it may, the proxy secures what it accepts with new tls.TLSSocket() or
// tls.createSecurePair() and pipes it to a plain sink. Prints {"bytes": …, "seconds": …, "cpu_seconds": …}.
'use strict';

const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');

const [variant, size, seconds, cert, key, ca, clientCert, clientKey] = process.argv.slice(2);
const read = (name) => fs.readFileSync(name);
const secureContext = tls.createSecureContext({cert: read(cert), key: read(key), ca: read(ca)});
const WARM_UP = 500;

process.noDeprecation = true;
if (variant === 'securepair' && typeof tls.createSecurePair !== 'function') {
  const unavailable = `Node.js ${process.versions.node} has no tls.createSecurePair() any more`;
  console.log(JSON.stringify({unavailable}));
  process.exit(0);
}

let received = 0;
const sink = net.createServer((socket) => socket.on('data', (chunk) => { received += chunk.length; }));

const proxy = net.createServer((socket) => {
  let cleartext;
  if (variant === 'tlssocket') {
    cleartext = new tls.TLSSocket(socket, {
      isServer: true, secureContext, requestCert: true, rejectUnauthorized: true,
    });
  } else {
    const pair = tls.createSecurePair(secureContext, true, true, true);
    socket.pipe(pair.encrypted).pipe(socket);
    cleartext = pair.cleartext;
  }
  cleartext.pipe(net.connect(sink.address().port, '127.0.0.1'));
});

function client() {
  const options = {
    host: '127.0.0.1', port: proxy.address().port, ca: read(ca), cert: read(clientCert),
    key: read(clientKey), checkServerIdentity: () => undefined, minVersion: 'TLSv1.3',
    ecdhCurve: 'X25519',
  };
  const connection = tls.connect(options, () => {
    const buffer = Buffer.alloc(Number(size), 'x');
    const write = () => { while (connection.write(buffer) !== false); };
    connection.on('drain', write);
    write();
    setTimeout(() => {
      const before = received;
      const began = process.hrtime.bigint();
      const used = process.cpuUsage();
      setTimeout(() => {
        const spent = Number(process.hrtime.bigint() - began) / 1e9;
        const {user, system} = process.cpuUsage(used);
        const cpu_seconds = (user + system) / 1e6;
        console.log(JSON.stringify({bytes: received - before, seconds: spent, cpu_seconds}));
        process.exit(0);
      }, Number(seconds) * 1000);
    }, WARM_UP);
  });
}

sink.listen(0, '127.0.0.1', () => proxy.listen(0, '127.0.0.1', client));
