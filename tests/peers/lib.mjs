// What a browser does at the login page: read the form, fill it in, send it, stop at the redirect.
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';

export const ready = JSON.parse(readFileSync(process.env.METASEAL_READY, 'utf8'));
export const user = (name) => ready.demo.users.find((u) => u.user === name);
export const client = (id) => ready.demo.clients.find((c) => c.clientId === id);
export const redirectUri = 'http://127.0.0.1:40123/cb';

const attribute = (tag, name) => new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1];
const unescape = (text) =>
  text.replace(/&quot;|&#34;/g, '"').replace(/&#39;|&#x27;/g, "'").replace(/&lt;|&#60;/g, '<').replace(/&gt;|&#62;/g, '>').replace(/&amp;|&#38;/g, '&');

/** Logs in and returns the URL that the authorization server sends the browser to. */
export async function login(authorizationUrl, name) {
  const page = await fetch(authorizationUrl, { redirect: 'manual' });
  if (page.status !== 200) throw new Error(`the login page answered ${page.status}: ${page.headers.get('location')}`);
  const html = await page.text();
  const form = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/i.exec(html)?.[0];
  if (!form) throw new Error('no POST form on the login page');
  const body = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    body.append(attribute(tag, 'name'), unescape(attribute(tag, 'value') ?? ''));
  }
  body.append('username', name);
  body.append('password', user(name).password);
  const action = new URL(unescape(attribute(form, 'action') ?? ''), page.url || authorizationUrl);
  const answer = await fetch(action, { method: 'POST', body, redirect: 'manual' });
  if (answer.status !== 302) throw new Error(`the login answered ${answer.status}: ${await answer.text()}`);
  return new URL(answer.headers.get('location'));
}

export function check(what, condition) {
  if (!condition) throw new Error(`not so: ${what}`);
  console.log(`ok  ${what}`);
}

/** SHA-256 of the key of a server: a browser has passkeys only where it trusts the certificate. */
export async function keyOf(url) {
  const { hostname, port } = new URL(url);
  const certificate = await new Promise((done, failed) => {
    const socket = connect({ host: hostname, port: Number(port), servername: hostname }, () => {
      done(socket.getPeerCertificate().raw);
      socket.destroy();
    }).once('error', failed);
  });
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}

/** A device that recognises its user, in the pages of one tab. */
export async function authenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    kept: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    add: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    recognises: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  };
}
