// node node_sender.js HOW PORT CONNECTIONS PACKETS SIZE CERT KEY CA: a sender, as the original's client.
//
// When all connections are secure, each writes PACKETS packets of SIZE bytes, as fast as flow control
// allows, and ends. Node joins what is written while a write is in progress; HOW is "joined" for that,
// and "records" to wait for each write, so that each packet becomes a record. Prints {"cpu": …,
// "packets": …}: the CPU seconds from then until all is written.
'use strict';

const fs = require('node:fs');
const tls = require('node:tls');

const [port, connections, packets, size] = process.argv.slice(3, 7).map(Number);
const [cert, key, ca] = process.argv.slice(7).map((name) => fs.readFileSync(name));
const packet = Buffer.alloc(size, 'x');
const secureContext = tls.createSecureContext({cert, key, ca, minVersion: 'TLSv1.3'});
const sockets = [];
let closed = 0;
let before;

function sendRecords(socket) {
  let left = packets;
  const write = () => {
    left -= 1;
    socket.write(packet, left ? write : () => socket.end());
  };
  write();
}

function send(socket) {
  let left = packets;
  const write = () => {
    while (left) {
      left -= 1;
      if (!socket.write(packet)) break;
    }
    if (left) socket.once('drain', write);
    else socket.end();
  };
  write();
}

function secured() {
  if (sockets.length < connections) {
    connect();
    return;
  }
  before = process.cpuUsage();
  sockets.forEach(process.argv[2] === 'joined' ? send : sendRecords);
}

function ended() {
  closed += 1;
  if (closed < connections) return;
  const {user, system} = process.cpuUsage(before);
  console.log(JSON.stringify({cpu: (user + system) / 1e6, packets: packets * connections}));
}

function connect() {
  const socket = tls.connect(
    {host: '127.0.0.1', port, servername: 'localhost', secureContext, ecdhCurve: 'X25519'}, secured);
  socket.on('close', ended);
  socket.on('data', () => {});
  sockets.push(socket);
}

connect();
