// What the stacks of Node share: their configuration, and a journal of every event emitted.
'use strict';

const tls = require('node:tls');
const fs = require('node:fs');
const net = require('node:net');

const config = JSON.parse(process.argv[2]);
config.timeout ??= 10;
config.alpn ??= [];

// The known names, some of them undocumented. Some events, such as keylog and session, are emitted
// only if there is a listener.
const NAMES = [
  '_tlsError', 'OCSPRequest', 'OCSPResponse', 'close', 'connect', 'data', 'drain', 'end', 'error',
  'finish', 'keylog', 'lookup', 'newSession', 'ready', 'resumeSession', 'secure', 'secureConnect',
  'secureConnection', 'session', 'timeout', 'tlsClientError',
];

// Returns the facts that hold at the moment of an event; replaced once there is a TLSSocket.
let factsOf = () => ({ peer: false });

function factsFrom(secured) {
  factsOf = () => {
    // After 'close' there is no TLS object left.
    const certificate = secured.getPeerCertificate?.() ?? null;
    const facts = {
      peer: certificate !== null && Object.keys(certificate).length > 0,
      authorized: secured.authorized,
    };
    if (typeof secured.alpnProtocol === 'string') facts.alpn = secured.alpnProtocol;
    return facts;
  };
}

function print(line) {
  try {
    fs.writeSync(1, JSON.stringify(line) + '\n');
  } catch {
    // Nobody reads the output any more.
  }
}

function record(event, text) {
  // process.hrtime is CLOCK_MONOTONIC on Linux, as Python's time.monotonic is.
  const at = Number(process.hrtime.bigint()) / 1e9;
  const facts = factsOf();
  if (text !== undefined) facts.text = text;
  print({ at, event, facts });
}

function sizeText(data) {
  return data.length === 1 ? '1 byte' : `${data.length} bytes`;
}

function errorText(error) {
  const text = String(error.message).split(/\s+/).join(' ').trim();
  return error.code ? `${error.code}: ${text}` : `${error.name}: ${text}`;
}

function textOf(name, args) {
  // A line of a key log is a secret, and journals never contain the data itself.
  if (name === 'keylog') return undefined;
  if (name === 'close') return args[0] ? 'after an error' : undefined;
  if (args[0] instanceof Error) return errorText(args[0]);
  if (Buffer.isBuffer(args[0])) return sizeText(args[0]);
  return undefined;
}

// Record every event that `emitter` emits, known or not, as `prefix` and its name.
function recordEvents(emitter, prefix = '', more = () => undefined) {
  const emit = emitter.emit;
  emitter.emit = function emitAndRecord(name, ...args) {
    record(prefix + String(name), more(name) ?? textOf(name, args));
    return emit.call(this, name, ...args);
  };
}

// Without a listener many events are never emitted, and an error ends the process.
function addListeners(emitter, names = NAMES) {
  for (const name of names) emitter.on(name, () => {});
}

function contextOptions() {
  const read = (path) => (path ? fs.readFileSync(path) : undefined);
  return {
    cert: read(config.certificate),
    key: read(config.key),
    ca: read(config.authority),
    minVersion: config.minimum,
    maxVersion: config.maximum,
  };
}

// Whether a server requests a client certificate, as Node's two options.
function clientAuthOptions() {
  return {
    requestCert: config.client_auth !== 'none',
    rejectUnauthorized: config.client_auth === 'required',
  };
}

// Only tls.Server sets `authorized` on its sockets; on others it stays false. The result of
// verification has to be requested from OpenSSL.
function verifyResult(secured) {
  if (!clientAuthOptions().requestCert) return undefined;
  const error = secured._handle?.verifyError?.();
  return error === undefined ? undefined : `verifyError: ${error ? error.code : error}`;
}

// Run the configured script on the cleartext side.
function runScript(cleartext) {
  if (config.script === 'server first') {
    record('write called', sizeText('hello'));
    cleartext.write('hello');
  }
  cleartext.on('data', (data) => {
    cleartext.write(data);
    if (config.script === 'server closes') {
      record('end called');
      cleartext.end();
    }
  });
}

// Serve one connection, passed to `secure`, and exit when it has ended.
function serveOne(secure) {
  process.on('uncaughtException', (error) => record('uncaughtException', errorText(error)));
  process.on('warning', (warning) => record('warning', errorText(warning)));
  const context = tls.createSecureContext(contextOptions());
  const server = net.createServer((socket) => {
    server.close();
    secure(socket, context);
  });
  server.listen(0, '127.0.0.1', () => {
    const versions = { Node: process.versions.node, OpenSSL: process.versions.openssl };
    print({ port: server.address().port, versions });
  });
  setTimeout(() => {
    record('timed out');
    process.exit(0);
  }, config.timeout * 1000).unref();
}

module.exports = { addListeners, clientAuthOptions, config, factsFrom, record, recordEvents,
                   runScript, serveOne, verifyResult };
