// panva/openid-client, unmodified: discovery, PKCE, DPoP, ID token, userinfo, introspection.
import * as oidc from 'openid-client';
import { check, client, login, ready, redirectUri } from './lib.mjs';

const configuration = await oidc.discovery(
  new URL(ready.urls.sim), 'ue-1', undefined, oidc.ClientSecretBasic(client('ue-1').secret));
const DPoP = oidc.getDPoPHandle(configuration, await oidc.randomDPoPKeyPair('ES256'));
const verifier = oidc.randomPKCECodeVerifier();
const state = oidc.randomState();
const nonce = oidc.randomNonce();
const authorize = oidc.buildAuthorizationUrl(configuration, {
  redirect_uri: redirectUri,
  scope: 'openid',
  acr_values: '3gpp:acr:password',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
const tokens = await oidc.authorizationCodeGrant(
  configuration, await login(authorize, 'bob'),
  { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP });
const claims = tokens.claims();
check('the ID token says how the user was authenticated', claims.acr === '3gpp:acr:password');
const info = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub, { DPoP });
check('userinfo is of the same user', info.sub === claims.sub);
const seen = await oidc.tokenIntrospection(configuration, tokens.access_token);
check('introspection calls the token active', seen.active === true);
