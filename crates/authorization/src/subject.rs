//! Every user and UE identifier in a request belongs to the token.

use crate::{Caller, CallerKind, Reason};

/// An identifier of a person or UE that a request names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// Header `Ue-Id`: GPSI, External ID or pseudonym.
    UeId(&'a str),
    /// A GPSI.
    Gpsi(&'a str),
    /// An External ID.
    ExternalId(&'a str),
    /// A VAL user.
    ValUser(&'a str),
    /// A VAL UE.
    ValUe(&'a str),
}

/// Decides whether the caller may speak for everybody whom the request names. A request that names nobody speaks for
/// the user of the token. A VAL server speaks for no user with its own token.
///
/// # Errors
/// [`Reason::SubjectWrong`].
pub fn check(caller: &Caller, named: &[Named<'_>]) -> Result<(), Reason> {
    let is = |own: Option<&str>, id: &str| caller.kind == CallerKind::ValClient && own == Some(id);
    let own = |named: &Named<'_>| match *named {
        Named::UeId(id) => caller.ue_id_matches(id),
        Named::Gpsi(id) => is(caller.gpsi.as_ref().map(|gpsi| gpsi.as_str()), id),
        Named::ExternalId(id) => is(caller.ext_id.as_ref().map(|ext_id| ext_id.as_str()), id),
        Named::ValUser(id) => is(caller.user.as_ref().map(|user| user.as_str()), id),
        Named::ValUe(id) => is(caller.ue.as_ref().map(|ue| ue.as_str()), id),
    };
    if named.iter().all(own) { Ok(()) } else { Err(Reason::SubjectWrong) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{claims, server};

    #[test]
    fn everybody_named_is_the_token_s_user() {
        use Named::{ExternalId, Gpsi, UeId, ValUe, ValUser};
        let caller = Caller::from_claims(&claims(|_| {}), "kid", None);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[Named<'_>], bool); 11] = [
            ("nobody", &[], true), ("user", &[ValUser("alice")], true), ("UE", &[ValUe("ue-a")], true),
            ("all of them", &[UeId("pairwise-1"), Gpsi("msisdn-491700000001"), ExternalId("alice@op-a.example"), ValUser("alice"), ValUe("ue-a")], true),
            ("another user", &[ValUser("bob")], false), ("another UE", &[ValUe("ue-b")], false), ("one of two", &[ValUser("alice"), ValUe("ue-b")], false),
            ("user as UE", &[ValUe("alice")], false), ("UE as user", &[ValUser("ue-a")], false), ("External ID as GPSI", &[Gpsi("alice@op-a.example")], false),
            ("client", &[ValUser("ue-1")], false),
        ];
        for (what, named, expected) in rows {
            assert_eq!(
                check(&caller, named),
                if expected { Ok(()) } else { Err(Reason::SubjectWrong) },
                "{what}"
            );
        }
        assert_eq!(check(&server("vs-1"), &[]), Ok(()));
        for named in [UeId("vs-1"), ValUser("vs-1"), ValUser("alice"), Gpsi("msisdn-491700000001")] {
            assert_eq!(check(&server("vs-1"), &[named]), Err(Reason::SubjectWrong));
        }
    }
}
