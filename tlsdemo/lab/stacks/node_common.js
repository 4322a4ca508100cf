// What the peers of Node share: their configuration, and a journal of every event emitted.
'use strict';

const tls = require('node:tls');
const fs = require('node:fs');
const net = require('node:net');

const config = JSON.parse(process.argv[2]);
config.timeout ??= 10;
config.alpn ??= [];

// Known names, some of them documented nowhere. To listen to one may be what makes it fire: keylog
// and session are emitted only where somebody listens.
const NAMES = [
  '_tlsError', 'OCSPRequest', 'OCSPResponse', 'close', 'connect', 'data', 'drain', 'end', 'error',
  'finish', 'keylog', 'lookup', 'newSession', 'ready', 'resumeSession', 'secure', 'secureConnect',
  'secureConnection', 'session', 'timeout', 'tlsClientError',
];

// What is already true at the moment of an event; set once there is a TLSSocket.
let factsOf = () => ({ peer: false });

function factsFrom(secured) {
  factsOf = () => {
    // After 'close' there is no TLS left to ask.
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
    // The reader is gone.
  }
}

function record(event, text) {
  // process.hrtime is CLOCK_MONOTONIC on Linux, as Python's time.monotonic is.
  const at = Number(process.hrtime.bigint()) / 1e9;
  const facts = factsOf();
  if (text !== undefined) facts.text = text;
  print({ at, event, facts });
}

function sized(data) {
  return data.length === 1 ? '1 byte' : `${data.length} bytes`;
}

function said(error) {
  const text = String(error.message).split(/\s+/).join(' ').trim();
  return error.code ? `${error.code}: ${text}` : `${error.name}: ${text}`;
}

function textOf(name, args) {
  // A line of a key log is a secret, and what was sent is nobody's business.
  if (name === 'keylog') return undefined;
  if (name === 'close') return args[0] ? 'after an error' : undefined;
  if (args[0] instanceof Error) return said(args[0]);
  if (Buffer.isBuffer(args[0])) return sized(args[0]);
  return undefined;
}

// Record every event that `emitter` emits, known or not, as `prefix` and its name.
function watch(emitter, prefix = '', more = () => undefined) {
  const emit = emitter.emit;
  emitter.emit = function emitAndRecord(name, ...args) {
    record(prefix + String(name), more(name) ?? textOf(name, args));
    return emit.call(this, name, ...args);
  };
}

// Without listeners many events are never emitted, and an error nobody hears ends the process.
function listen(emitter, names = NAMES) {
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

// What a server asks of its client, in Node's two words for it.
function demands() {
  return {
    requestCert: config.client_auth !== 'none',
    rejectUnauthorized: config.client_auth === 'required',
  };
}

// `authorized` stays false on a server-side TLSSocket that no tls.Server has made: nobody sets it.
// What OpenSSL thinks of the certificate has to be asked for.
function verdict(secured) {
  if (!demands().requestCert) return undefined;
  const error = secured._handle?.verifyError?.();
  return error === undefined ? undefined : `verifyError: ${error ? error.code : error}`;
}

// Do what the configuration says with the cleartext side.
function talk(cleartext) {
  if (config.scenario === 'server first') {
    record('write called', sized('hello'));
    cleartext.write('hello');
  }
  cleartext.on('data', (data) => {
    cleartext.write(data);
    if (config.scenario === 'server closes') {
      record('end called');
      cleartext.end();
    }
  });
}

// Serve one connection, which `secure` is given, and end when nothing is left of it.
function serveOne(secure) {
  process.on('uncaughtException', (error) => record('uncaughtException', said(error)));
  process.on('warning', (warning) => record('warning', said(warning)));
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

module.exports = { config, contextOptions, demands, factsFrom, listen, record, serveOne, talk,
                   verdict, watch };
