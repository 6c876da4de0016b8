//! Which issuers open which interface: the SIM-S (clause 6.x.b of the draft), the CAPIF core function (6.x.a), or both
//! (NA-9). Each interface of a function is set for itself; what is not set takes both.

use std::collections::BTreeMap;

use authorization::{IssuerRow, Reason};

/// Whose tokens an interface takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Those of the SIM-S.
    Sim,
    /// Those of a CAPIF core function.
    Capif,
    /// Both; which one a token is of is told by its issuer alone.
    #[default]
    Both,
}

/// The modes of a function's interfaces, by the name of the API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// What an interface takes that is not named.
    pub otherwise: Mode,
    /// Interfaces that are named.
    pub named: BTreeMap<String, Mode>,
}

/// The name of the API that a path belongs to: its first segment (TS 29.122 5.2.4).
#[must_use]
pub fn api_of(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or_default()
}

impl Interfaces {
    /// Decides whether the interface takes tokens of this issuer.
    ///
    /// # Errors
    /// [`Reason::IssuerWrong`].
    pub fn check(&self, api: &str, issuer: &IssuerRow) -> Result<(), Reason> {
        let mode = self.named.get(api).copied().unwrap_or(self.otherwise);
        match (mode, issuer.capif) {
            (Mode::Both, _) | (Mode::Sim, false) | (Mode::Capif, true) => Ok(()),
            (Mode::Sim, true) | (Mode::Capif, false) => Err(Reason::IssuerWrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_takes_the_tokens_of_its_own_issuers() {
        let sim = IssuerRow::sim("https://sim.example", "https://sim.example/jwks");
        let ccf = IssuerRow::ccf("https://ccf.example", "https://ccf.example/jwks", "AEF1");
        let named = [("ssan-sanm".to_owned(), Mode::Capif), ("ssan-disc".to_owned(), Mode::Sim)].into();
        let modes = Interfaces { otherwise: Mode::Both, named };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("ssan-sanm", &sim, false), ("ssan-sanm", &ccf, true),
            ("ssan-disc", &sim, true), ("ssan-disc", &ccf, false),
            ("ssan-usg", &sim, true), ("ssan-usg", &ccf, true),
        ];
        for (api, issuer, taken) in rows {
            assert_eq!(modes.check(api, issuer).is_ok(), taken, "{api} {}", issuer.issuer);
        }
        let only = Interfaces { otherwise: Mode::Sim, ..Interfaces::default() };
        assert_eq!(only.check("ssan-sanm", &ccf), Err(Reason::IssuerWrong));
    }

    #[test]
    fn the_first_segment_names_the_api() {
        for (path, api) in
            [("/ssan-sanm/v1/anchors-lists/{id}", "ssan-sanm"), ("/x", "x"), ("/", ""), ("", "")]
        {
            assert_eq!(api_of(path), api);
        }
    }
}
