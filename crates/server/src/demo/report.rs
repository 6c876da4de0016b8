//! What a run of the demo found, in the shape of contract section 3.

use serde::Serialize;

/// Outcome of a procedure, a step or an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As expected.
    Pass,
    /// Not as expected.
    Fail,
    /// This version does not have it.
    NotBuilt,
}

/// A whole run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Procedures of the sources.
    pub procedures: Vec<Procedure>,
    /// Attacks on them.
    pub attacks: Vec<Attack>,
}

/// One procedure.
#[derive(Debug, Clone, Serialize)]
pub struct Procedure {
    /// `P1` to `P9`
    pub id: &'static str,
    /// What it is.
    pub title: &'static str,
    /// Where it comes from.
    pub source: &'static str,
    /// Whether it went as the source says.
    pub verdict: Verdict,
    /// Trace that `metaseal why` and the admin API know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Milliseconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// Its steps, numbered as in the source.
    pub steps: Vec<Step>,
}

/// One step of a procedure.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Number in the source's figure.
    pub step: String,
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
    /// What is sent or done.
    pub message: String,
    /// Whether it went as it should.
    pub verdict: Verdict,
    /// What was seen instead, when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Checks that the functions made, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// One attack and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Attack {
    /// `<bundle>/<member>@<interface>`
    pub id: String,
    /// The procedure that it attacks.
    pub procedure: &'static str,
    /// Requirement rows that it tests.
    pub rows: Vec<&'static str>,
    /// The reason that belongs to it.
    pub expected: String,
    /// The reason that the audit of this run has.
    pub got: String,
    /// What the wire said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Status on the wire; absent where the connection was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether expected and got agree.
    pub verdict: Verdict,
    /// Trace of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

impl Report {
    /// Whether everything that is built went as expected, and there was something.
    #[must_use]
    pub fn passed(&self) -> bool {
        let fine = self.procedures.iter().all(|p| p.verdict != Verdict::Fail)
            && self.attacks.iter().all(|a| a.verdict != Verdict::Fail);
        fine && self.procedures.iter().any(|p| p.verdict == Verdict::Pass)
    }
}

impl Report {
    /// Whether nothing was played, because nothing that is built was asked for.
    #[must_use]
    pub fn nothing_played(&self) -> bool {
        self.attacks.is_empty() && self.procedures.iter().all(|p| p.verdict == Verdict::NotBuilt)
    }
}

/// The procedures that the sources describe, in their order, as not built yet.
#[must_use]
pub(super) fn catalogue() -> Vec<Procedure> {
    const ALL: [(&str, &str, &str); 9] = [
        ("P1", "VAL user login, token for a spatial localization service", "001 6.1.2-1, 002, 003"),
        ("P2", "Get and discover maps and anchors with that token", "001 6.1.2-2, 000 6.x.b"),
        ("P3", "Anchor and map operations over CAPIF, three access levels", "001 6.2, 000 6.x.a"),
        ("P4", "Owner's policy at the core function, a second VAL server asks", "001 6.3"),
        ("P5", "User information under the resource owner's permission", "001 6.4"),
        ("P6", "Discovery filtered by consent", "001 6.5 steps 1 to 5"),
        ("P7", "Avatar profile reduced to what consent leaves", "001 6.5 steps 6 to 10"),
        ("P8", "Avatar download, signed and adapted; representation check", "001 6.6, 003"),
        ("P9", "Avatar call", "004 steps 1 to 15"),
    ];
    ALL.into_iter()
        .map(|(id, title, source)| Procedure {
            id,
            title,
            source,
            verdict: Verdict::NotBuilt,
            trace: None,
            ms: None,
            steps: Vec::new(),
        })
        .collect()
}
