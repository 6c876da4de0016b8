//! One check of a decision, as traces and `why` show it.

use std::borrow::Cow;

pub use api_types::admin::CheckVerdict as Verdict;

/// What was checked, with what outcome. Texts hold no secret and no personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which check; the name of a stage or a part of one.
    pub check: Cow<'static, str>,
    /// Its outcome.
    pub verdict: Verdict,
    /// What was expected.
    pub expected: Cow<'static, str>,
    /// What was seen.
    pub seen: Cow<'static, str>,
}

impl Check {
    /// A check that held.
    pub fn pass(check: impl Into<Cow<'static, str>>) -> Self {
        Self { check: check.into(), verdict: Verdict::Pass, expected: "".into(), seen: "".into() }
    }

    /// A check that did not hold.
    pub fn fail(
        check: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        seen: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { check: check.into(), verdict: Verdict::Fail, expected: expected.into(), seen: seen.into() }
    }

    /// A check that had nothing to look at.
    pub fn skip(check: impl Into<Cow<'static, str>>) -> Self {
        Self { check: check.into(), verdict: Verdict::Skip, expected: "".into(), seen: "".into() }
    }

    /// The check of the stage that refuses for this reason.
    #[must_use]
    pub fn refused(reason: crate::Reason) -> Self {
        Self::fail(reason.stage().as_str(), "", reason.as_str())
    }
}
