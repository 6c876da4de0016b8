//! What has been revoked at an issuer, as a verifier knows it, and the lease that says how long it may rely on that.
//!
//! A token carries the issuer's epoch at issue (`rev`). An entry for a subject or client spoils the tokens issued before
//! it; an entry for a `jti`, certificate or key spoils it for good.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

pub use api_types::admin::RevocationKind as Kind;

use crate::{AccessClaims, Reason};

/// How long a lease lasts, counted from sending the renewal.
pub const LEASE: Duration = Duration::from_secs(1);
/// How often a lease is renewed.
pub const RENEW_EVERY: Duration = Duration::from_millis(250);

/// One revocation.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is revoked.
    pub kind: Kind,
    /// `jti`, `sub`, `client_id`, `x5t#S256` or `kid`.
    pub value: String,
    /// The issuer's epoch that this entry began. Tokens issued from then on carry at least this.
    pub epoch: u64,
    /// The issuer.
    pub issuer: String,
    /// From when on, in seconds since 1970, no token is left that it could spoil; `None`: it is for good.
    pub expires_s: Option<i64>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("kind", &self.kind).field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// Since when somebody's tokens are good again, and until when that has to be known.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    epoch: u64,
    until_s: i64,
}

#[derive(Debug, Clone, Default)]
struct OfIssuer {
    /// `jti` to the end of the token.
    tokens: HashMap<String, i64>,
    subjects: HashMap<String, Since>,
    clients: HashMap<String, Since>,
    certificates: HashSet<String>,
    keys: HashSet<String>,
    /// Since which epoch a policy is another one.
    policies: HashMap<String, u64>,
    epoch: u64,
}

/// Everything that is revoked, per issuer.
#[derive(Debug, Clone, Default)]
pub struct View {
    issuers: HashMap<String, OfIssuer>,
}

impl View {
    /// Adds an entry. Entries may come twice and in any order.
    pub fn apply(&mut self, entry: Entry) {
        let of_issuer = self.issuers.entry(entry.issuer).or_default();
        of_issuer.epoch = of_issuer.epoch.max(entry.epoch);
        let until_s = entry.expires_s.unwrap_or(i64::MAX);
        let later = |known: &mut HashMap<String, Since>, value| {
            let since = known.entry(value).or_default();
            *since = Since { epoch: since.epoch.max(entry.epoch), until_s: since.until_s.max(until_s) };
        };
        match entry.kind {
            Kind::Token => {
                let until = of_issuer.tokens.entry(entry.value).or_insert(until_s);
                *until = (*until).max(until_s);
            }
            Kind::Certificate => _ = of_issuer.certificates.insert(entry.value),
            Kind::Key => _ = of_issuer.keys.insert(entry.value),
            Kind::Subject => later(&mut of_issuer.subjects, entry.value),
            Kind::Client => later(&mut of_issuer.clients, entry.value),
            // These end grants and objects, not tokens; they are looked at where those are.
            Kind::Consent | Kind::Avatar => {}
            Kind::Policy => {
                let since = of_issuer.policies.entry(entry.value).or_default();
                *since = (*since).max(entry.epoch);
            }
        }
    }

    /// Forgets what can spoil no token any more: whatever expired before this time, in seconds since 1970.
    ///
    /// The time is one that never steps back, else what is forgotten could spoil a token again.
    pub fn forget_expired(&mut self, before_s: i64) {
        for of_issuer in self.issuers.values_mut() {
            of_issuer.tokens.retain(|_, until_s| *until_s >= before_s);
            for known in [&mut of_issuer.subjects, &mut of_issuer.clients] {
                known.retain(|_, since| since.until_s >= before_s);
            }
        }
    }

    /// The epoch since which a policy of an issuer is as it is; 0: nothing was heard of it. A copy that was made before is
    /// of no use.
    #[must_use]
    pub fn policy_epoch(&self, issuer: &str, policy: &str) -> u64 {
        let known = self.issuers.get(issuer).and_then(|of_issuer| of_issuer.policies.get(policy));
        known.copied().unwrap_or_default()
    }

    /// How many entries are held.
    #[must_use]
    pub fn len(&self) -> usize {
        let of = |one: &OfIssuer| {
            one.tokens.len()
                + one.subjects.len()
                + one.clients.len()
                + one.certificates.len()
                + one.keys.len()
        };
        self.issuers.values().map(of).sum()
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last epoch that is known of an issuer; 0 before the first.
    #[must_use]
    pub fn epoch(&self, issuer: &str) -> u64 {
        self.issuers.get(issuer).map_or(0, |of_issuer| of_issuer.epoch)
    }
}

/// Decides whether a token, whoever acts with it, the key that signed it and the certificate that presents it are
/// still good.
///
/// # Errors
/// The first that is revoked, in this order: key, certificate, token, client, subject.
pub fn check(view: &View, claims: &AccessClaims, kid: &str, x5t: Option<&str>) -> Result<(), Reason> {
    let Some(of_issuer) = view.issuers.get(&claims.iss) else { return Ok(()) };
    let bound = claims.cnf.as_ref().and_then(|cnf| cnf.x5t_s256.as_deref());
    let certificate_is_revoked =
        |x5t: Option<&str>| x5t.is_some_and(|x5t| of_issuer.certificates.contains(x5t));
    if of_issuer.keys.contains(kid) || certificate_is_revoked(x5t) || certificate_is_revoked(bound) {
        return Err(Reason::RevokedKey);
    }
    if of_issuer.tokens.contains_key(&claims.jti) {
        return Err(Reason::RevokedToken);
    }
    let before = |known: &HashMap<String, Since>, who: &str| {
        known.get(who).is_some_and(|since| claims.rev < since.epoch)
    };
    let mut acting = claims.act.as_ref();
    let mut client_is_revoked = before(&of_issuer.clients, claims.client_id.as_str());
    let mut subject_is_revoked = before(&of_issuer.subjects, &claims.sub);
    while let Some(actor) = acting {
        client_is_revoked |= before(&of_issuer.clients, &actor.sub);
        subject_is_revoked |= before(&of_issuer.subjects, &actor.sub);
        acting = actor.act.as_deref();
    }
    if client_is_revoked {
        return Err(Reason::RevokedClient);
    }
    if subject_is_revoked {
        return Err(Reason::RevokedSubject);
    }
    Ok(())
}

/// How long the view of one issuer may be relied on, by the verifier's own monotonic clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lease {
    until: Option<Duration>,
}

impl Lease {
    /// Notes an answered renewal that was sent at this monotonic time. A late answer never shortens the lease.
    pub fn renew(&mut self, sent_at: Duration) {
        let until = sent_at.saturating_add(LEASE);
        self.until = self.until.max(Some(until));
    }

    /// Ends the lease, as when the issuer answers with another history than the one known.
    pub fn end(&mut self) {
        self.until = None;
    }

    /// When it ends.
    #[must_use]
    pub fn until(&self) -> Option<Duration> {
        self.until
    }

    /// Decides whether the lease is alive at this monotonic time. Before the first renewal it is not.
    ///
    /// # Errors
    /// [`Reason::LeaseExpired`].
    pub fn check(&self, now: Duration) -> Result<(), Reason> {
        if self.until.is_some_and(|until| now < until) { Ok(()) } else { Err(Reason::LeaseExpired) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::{ISSUER, claims};

    fn entry(kind: Kind, value: &str, epoch: u64) -> Entry {
        Entry { kind, value: value.into(), epoch, issuer: ISSUER.into(), expires_s: Some(100) }
    }

    fn view(entries: impl IntoIterator<Item = Entry>) -> View {
        let mut view = View::default();
        entries.into_iter().for_each(|entry| view.apply(entry));
        view
    }

    /// The token: `jti` j-1, `sub` pairwise-1, client ue-1, acted by lm, epoch 5, certificate `own`, key `kid`.
    #[test]
    fn each_entry_revokes_what_it_names() {
        use Reason::{RevokedClient, RevokedKey, RevokedSubject, RevokedToken};
        let token = claims(|c| {
            c["act"] = json!({ "sub": "lm", "act": { "sub": "lm-2" } });
            c["cnf"] = json!({ "x5t#S256": "own" });
        });
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("token", Kind::Token, "j-1", 1, Err(RevokedToken)), ("another token", Kind::Token, "j-2", 9, Ok(())),
            ("key", Kind::Key, "kid", 1, Err(RevokedKey)), ("another key", Kind::Key, "kid-2", 9, Ok(())),
            ("bound certificate", Kind::Certificate, "own", 1, Err(RevokedKey)), ("peer certificate", Kind::Certificate, "peer", 1, Err(RevokedKey)), ("another certificate", Kind::Certificate, "x", 9, Ok(())),
            ("client, later epoch", Kind::Client, "ue-1", 6, Err(RevokedClient)), ("client, epoch of the token", Kind::Client, "ue-1", 5, Ok(())), ("client, earlier epoch", Kind::Client, "ue-1", 4, Ok(())), ("another client", Kind::Client, "ue-2", 9, Ok(())),
            ("subject, later epoch", Kind::Subject, "pairwise-1", 6, Err(RevokedSubject)), ("subject, epoch of the token", Kind::Subject, "pairwise-1", 5, Ok(())), ("another subject", Kind::Subject, "pairwise-2", 9, Ok(())),
            ("acting client", Kind::Client, "lm", 6, Err(RevokedClient)), ("who acted before", Kind::Client, "lm-2", 6, Err(RevokedClient)), ("acting client, earlier", Kind::Client, "lm", 5, Ok(())), ("acting subject", Kind::Subject, "lm", 6, Err(RevokedSubject)),
            ("a subject named like the client", Kind::Subject, "ue-1", 9, Ok(())), ("a client named like the subject", Kind::Client, "pairwise-1", 9, Ok(())),
            ("a policy", Kind::Policy, "j-1", 9, Ok(())), ("a consent", Kind::Consent, "pairwise-1", 9, Ok(())), ("an avatar", Kind::Avatar, "ue-1", 9, Ok(())),
        ];
        for (what, kind, value, epoch, expected) in rows {
            let one = view([entry(kind, value, epoch)]);
            assert_eq!(check(&one, &token, "kid", Some("peer")), expected, "{what}");
            assert_eq!(one.epoch(ISSUER), epoch, "{what}");
            let foreign = view([Entry { issuer: "https://ccf.example".into(), ..entry(kind, value, epoch) }]);
            assert_eq!(check(&foreign, &token, "kid", Some("peer")), Ok(()), "{what} at another issuer");
        }
        assert_eq!(check(&View::default(), &token, "kid", None), Ok(()));
        assert_eq!(View::default().epoch(ISSUER), 0);
        let all =
            [(Kind::Subject, "pairwise-1"), (Kind::Client, "ue-1"), (Kind::Token, "j-1"), (Kind::Key, "kid")];
        let order = [RevokedSubject, RevokedClient, RevokedToken, RevokedKey];
        for (n, reason) in order.into_iter().enumerate() {
            let some = view(all[..=n].iter().map(|(kind, value)| entry(*kind, value, 9)));
            assert_eq!(check(&some, &token, "kid", None), Err(reason), "the cheapest to explain comes first");
        }
    }

    #[test]
    fn what_no_token_is_left_for_is_forgotten_and_the_epoch_stays() {
        let lasting = |kind, value: &str| Entry { expires_s: None, ..entry(kind, value, 7) };
        let mut view = view([
            entry(Kind::Token, "j-1", 1),
            Entry { expires_s: Some(200), ..entry(Kind::Token, "j-2", 2) },
            entry(Kind::Subject, "s", 3),
            entry(Kind::Client, "c", 4),
            entry(Kind::Client, "again", 5),
            Entry { expires_s: Some(150), ..entry(Kind::Client, "again", 6) },
            lasting(Kind::Key, "kid"),
            lasting(Kind::Certificate, "x"),
            lasting(Kind::Subject, "for good"),
        ]);
        view.forget_expired(100);
        assert_eq!(view.len(), 8, "what expires at that time is still held");
        view.forget_expired(101);
        assert_eq!(view.len(), 5, "j-2, again, kid, x, for good");
        view.forget_expired(i64::MAX);
        assert_eq!(view.len(), 3, "key, certificate and what is for good stay");
        assert_eq!(view.epoch(ISSUER), 7);
    }

    #[test]
    fn a_lease_counts_from_sending() {
        let ms = Duration::from_millis;
        let mut lease = Lease::default();
        assert_eq!(lease.check(ms(0)), Err(Reason::LeaseExpired), "before the first renewal");
        lease.renew(ms(5_000));
        assert_eq!(lease.check(ms(5_999)), Ok(()));
        assert_eq!(lease.check(ms(6_000)), Err(Reason::LeaseExpired));
        lease.renew(ms(4_000));
        assert_eq!(lease.check(ms(5_999)), Ok(()), "a late answer shortens nothing");
        lease.renew(ms(5_250));
        assert_eq!((lease.check(ms(6_249)), lease.until()), (Ok(()), Some(ms(6_250))));
        lease.end();
        assert_eq!(lease.check(ms(5_300)), Err(Reason::LeaseExpired));
    }

    fn entries() -> impl Strategy<Value = Vec<Entry>> {
        let kinds = proptest::sample::select(vec![Kind::Subject, Kind::Client, Kind::Token, Kind::Policy]);
        let values = proptest::sample::select(vec!["pairwise-1", "ue-1", "j-1", "other"]);
        proptest::collection::vec(
            (kinds, values, 1..20_u64).prop_map(|(kind, value, epoch)| entry(kind, value, epoch)),
            0..12,
        )
    }

    proptest! {
        /// After an entry of epoch N for its subject or client, no token with `rev` below N passes, whatever comes
        /// before or after; a token of a later epoch is not harmed by entries for subjects and clients.
        #[test]
        fn nothing_older_than_an_entry_passes(
            before in entries(), after in entries(), epoch in 1..20_u64, rev in 0..25_u64, client in any::<bool>(),
        ) {
            let named = if client { entry(Kind::Client, "ue-1", epoch) } else { entry(Kind::Subject, "pairwise-1", epoch) };
            let view = view(before.into_iter().chain([named]).chain(after));
            let token = claims(|c| c["rev"] = rev.into());
            let decision = check(&view, &token, "kid", None);
            if rev < epoch {
                prop_assert!(decision.is_err());
            }
            if rev >= view.epoch(ISSUER) {
                prop_assert!(matches!(decision, Ok(()) | Err(Reason::RevokedToken)));
            }
        }

        /// The order in which entries come does not matter, nor does repetition.
        #[test]
        fn the_order_of_entries_does_not_matter(all in entries(), rev in 0..25_u64) {
            let token = claims(|c| c["rev"] = rev.into());
            let forward = view(all.iter().cloned());
            let backward = view(all.iter().rev().chain(&all).cloned());
            prop_assert_eq!(check(&forward, &token, "kid", None), check(&backward, &token, "kid", None));
        }
    }
}
