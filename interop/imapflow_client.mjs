// Log in by STARTTLS, append a mail, and fetch it: node imapflow_client.mjs PORT CERTIFICATES
// reads the mail from standard input, and prints what was fetched as JSON.
import {readFileSync} from 'node:fs';
import {ImapFlow} from 'imapflow';

const [port, folder] = process.argv.slice(2);
const client = new ImapFlow({
    host: 'localhost', port: Number(port), secure: false, doSTARTTLS: true, logger: false,
    auth: {user: 'demo', pass: 'secret'},
    tls: {
        ca: readFileSync(`${folder}/ca.pem`),
        cert: readFileSync(`${folder}/client.pem`),
        key: readFileSync(`${folder}/client.key`),
    },
});

await client.connect();
await client.append('INBOX', readFileSync(0));
const lock = await client.getMailboxLock('INBOX');
const {source} = await client.fetchOne('*', {source: true});
lock.release();
await client.noop();
console.log(JSON.stringify({
    secure: client.secureConnection,
    compressed: Boolean(client._inflate),
    source: source.toString('base64'),
}));
await client.logout();
