//! Callers and claims for the tests of this crate.

use serde_json::{Value, json};

use crate::{AccessClaims, Caller, IssuerRow};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://sim.example";
pub(crate) const AUDIENCE: &str = "https://san.example";

/// The claims of a good token of a user, as JSON to be spoiled.
pub(crate) fn claims_json() -> Value {
    json!({
        "iss": ISSUER, "sub": "pairwise-1", "aud": AUDIENCE, "exp": NOW + 300, "iat": NOW, "jti": "j-1",
        "client_id": "ue-1", "scope": "3gpp:seal:san.discover", "sub_type": "user", "val_user_id": "alice",
        "val_ue_id": "ue-a", "val_service_id": ["tour"], "gpsi": "msisdn-491700000001", "ext_id": "alice@op-a.example",
        "cnf": { "jkt": "k-1" }, "rev": 5,
    })
}

pub(crate) fn claims(spoil: impl FnOnce(&mut Value)) -> AccessClaims {
    let mut value = claims_json();
    spoil(&mut value);
    serde_json::from_value(value).unwrap()
}

pub(crate) fn sim() -> IssuerRow {
    IssuerRow::sim(ISSUER, "https://sim.example/jwks")
}

/// A VAL client of this VAL user and VAL UE.
pub(crate) fn user(user: &str, ue: &str) -> Caller {
    let claims = claims(|v| {
        v["sub"] = user.into();
        v["val_user_id"] = user.into();
        v["val_ue_id"] = ue.into();
        v["val_service_id"] = json!([]);
    });
    Caller::from_claims(&claims, "kid", None)
}

/// A VAL server.
pub(crate) fn server(client: &str) -> Caller {
    let claims = claims(|v| {
        v["sub"] = client.into();
        v["client_id"] = client.into();
        v["sub_type"] = "client".into();
        for name in ["val_user_id", "val_ue_id", "val_service_id", "gpsi", "ext_id"] {
            v.as_object_mut().unwrap().remove(name);
        }
    });
    Caller::from_claims(&claims, "kid", None)
}
