// panva's oidc-provider as `metaseal bench` measures it: client credentials, ES256 access tokens, TLS with kept-alive
// connections, its in-memory adapter (nothing durable).
//
// Arguments: PEM files of certificate and key. Prints the port when it accepts.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Provider from 'oidc-provider';

const [cert, key] = process.argv.slice(2, 4).map((file) => readFileSync(file));
const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
const resource = 'https://localhost/api';

const provider = new Provider('https://localhost', {
  clients: [{
    client_id: 'bench',
    client_secret: 'bench-secret-of-a-loopback-run',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'ES256',
  }],
  jwks: { keys: [{ ...jwk, alg: 'ES256', use: 'sig', kid: 'bench' }] },
  scopes: ['read'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'read',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

const server = createServer({ cert, key, minVersion: 'TLSv1.3' }, provider.callback());
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
