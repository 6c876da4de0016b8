// Passkeys (W3C Web Authentication). Without them, or without script, the form works as it is.
(() => {
  const button = document.getElementById('passkey-button');
  if (!button || !window.PublicKeyCredential) return;
  const form = button.form, data = form.dataset, note = document.getElementById('passkey-note');
  const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const use = async () => {
    const { id, response } = await navigator.credentials.get({ publicKey: {
      challenge: bytes(data.challenge), rpId: data.relyingParty, userVerification: 'required',
    } });
    return {
      id, clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.authenticatorData),
      signature: text(response.signature), userHandle: response.userHandle ? text(response.userHandle) : null,
    };
  };
  const make = async () => {
    const { response } = await navigator.credentials.create({ publicKey: {
      challenge: bytes(data.challenge), rp: { id: data.relyingParty, name: data.relyingParty },
      user: { id: bytes(data.userHandle), name: data.user, displayName: data.user },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }], attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: data.exclude.split(' ').filter(Boolean).map((id) => ({ type: 'public-key', id: bytes(id) })),
    } });
    return {
      clientDataJSON: text(response.clientDataJSON), authenticatorData: text(response.getAuthenticatorData()),
    };
  };
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    note.textContent = '';
    try {
      form.elements.passkey.value = JSON.stringify(await (data.userHandle ? make() : use()));
      form.submit();
    } catch (error) {
      note.textContent = error.name === 'InvalidStateError' ? 'This device has a passkey for you already.'
        : 'No passkey was used. Try again, or go on without.';
      button.disabled = false;
    }
  });
})();
