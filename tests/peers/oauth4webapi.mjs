// panva/oauth4webapi, unmodified: PAR, PKCE, DPoP, code, refresh to a second service, use at the SAn server.
import * as oauth from 'oauth4webapi';
import { check, client, login, ready, redirectUri, user } from './lib.mjs';

const issuer = new URL(ready.urls.sim);
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2' }));
const us = { client_id: 'ue-1' };
const authentication = oauth.ClientSecretBasic(client('ue-1').secret);
const keys = await oauth.generateKeyPair('ES256');
const DPoP = oauth.DPoP(us, keys);

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const parameters = new URLSearchParams({
  client_id: us.client_id,
  response_type: 'code',
  redirect_uri: redirectUri,
  scope: 'openid 3gpp:seal:san.read 3gpp:seal:san.discover 3gpp:seal:sm.read',
  acr_values: '3gpp:acr:password',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  val_ue_id: user('alice').valUeId,
  state,
  nonce,
});
parameters.append('resource', ready.urls.san);
parameters.append('resource', ready.urls.sm);

const pushed = await oauth.processPushedAuthorizationResponse(
  as, us, await oauth.pushedAuthorizationRequest(as, us, authentication, parameters, { DPoP }));
const authorize = new URL(as.authorization_endpoint);
authorize.searchParams.set('client_id', us.client_id);
authorize.searchParams.set('request_uri', pushed.request_uri);

const callback = oauth.validateAuthResponse(as, us, await login(authorize, 'alice'), state);
const tokens = await oauth.processAuthorizationCodeResponse(as, us,
  await oauth.authorizationCodeGrantRequest(as, us, authentication, callback, redirectUri, verifier, {
    DPoP, additionalParameters: { resource: ready.urls.san },
  }), { expectedNonce: nonce, requireIdToken: true });
check('a DPoP token for the anchors', tokens.token_type === 'dpop' && tokens.expires_in > 0);
check('the ID token is of the user', oauth.getValidatedIdTokenClaims(tokens).aud === us.client_id);

const anchors = await oauth.protectedResourceRequest(
  tokens.access_token, 'GET', new URL(`${ready.urls.san}/ssan-disc/v1/spatial-anchors?limit=5`), undefined, undefined, { DPoP });
check('anchors are discovered with it', anchors.status === 200 && (await anchors.json()).results.length > 0);

const second = await oauth.processRefreshTokenResponse(as, us,
  await oauth.refreshTokenGrantRequest(as, us, authentication, tokens.refresh_token, {
    DPoP, additionalParameters: { resource: ready.urls.sm, scope: '3gpp:seal:sm.read' },
  }));
check('the same login gives a token for the maps', second.scope === '3gpp:seal:sm.read');

let crossed;
try {
  await oauth.protectedResourceRequest(
    second.access_token, 'GET', new URL(`${ready.urls.san}/ssan-disc/v1/spatial-anchors`), undefined, undefined, { DPoP });
} catch (error) {
  crossed = error.response?.status ?? error.cause?.response?.status ?? error.status;
}
check('which the anchors refuse with 401', crossed === 401);

await oauth.processRevocationResponse(await oauth.revocationRequest(as, us, authentication, tokens.access_token));
let revoked;
try {
  await oauth.protectedResourceRequest(
    tokens.access_token, 'GET', new URL(`${ready.urls.san}/ssan-disc/v1/spatial-anchors`), undefined, undefined, { DPoP });
} catch (error) {
  revoked = error.response?.status ?? error.status;
}
check('a revoked token is refused at once', revoked === 401);
