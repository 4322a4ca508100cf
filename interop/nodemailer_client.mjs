// Send a mail by STARTTLS: node nodemailer_client.mjs PORT CERTIFICATES reads it from standard input.
import {readFileSync} from 'node:fs';
import {createTransport} from 'nodemailer';

const [port, folder] = process.argv.slice(2);
const transport = createTransport({
    host: 'localhost', port: Number(port), requireTLS: true,
    tls: {
        ca: readFileSync(`${folder}/ca.pem`),
        cert: readFileSync(`${folder}/client.pem`),
        key: readFileSync(`${folder}/client.key`),
    },
});
await transport.sendMail({
    envelope: {from: 'one@example.test', to: ['two@example.test']},
    raw: readFileSync(0),
});
transport.close();
