//! Feature negotiation (TS 29.571 `SupportedFeatures`): hexadecimal digits, the last of which holds bits 4 to 1.
//!
//! Bit 1 is ours (contract, section 7): the peer knows the members of anchors and maps beyond Rel-19.

/// What a peer says that it supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SuppFeat {
    /// Whether the peer said anything.
    asked: bool,
    own_members: bool,
}

/// The text is no bitmask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be hexadecimal digits")]
pub struct SuppFeatError;

/// Longest bitmask, in digits. Own value.
const MAX_DIGITS: usize = 64;

impl SuppFeat {
    /// Reads the bitmask; `None` when the peer sent none.
    ///
    /// # Errors
    /// Not hexadecimal, or too long.
    pub fn parse(text: Option<&str>) -> Result<Self, SuppFeatError> {
        let Some(text) = text else { return Ok(Self::default()) };
        if text.len() > MAX_DIGITS || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(SuppFeatError);
        }
        let last = text.chars().last().and_then(|digit| digit.to_digit(16)).unwrap_or(0);
        Ok(Self { asked: true, own_members: last & 1 == 1 })
    }

    /// Whoever knows everything.
    #[must_use]
    pub const fn all() -> Self {
        Self { asked: true, own_members: true }
    }

    /// Both said so in one request: the body and the query.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { asked: self.asked || other.asked, own_members: self.own_members || other.own_members }
    }

    /// Whether members of ours are read and written.
    pub fn own_members(self) -> bool {
        self.own_members
    }

    /// What both sides support; `None` to a peer that did not ask.
    pub fn negotiated(self) -> Option<&'static str> {
        self.asked.then_some(if self.own_members { "1" } else { "0" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_holds_bit_1() {
        type Row = (Option<&'static str>, Result<(bool, Option<&'static str>), SuppFeatError>);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 8] = [
            (None, Ok((false, None))), (Some(""), Ok((false, Some("0")))), (Some("0"), Ok((false, Some("0")))),
            (Some("1"), Ok((true, Some("1")))), (Some("F"), Ok((true, Some("1")))), (Some("10"), Ok((false, Some("0")))),
            (Some("0x1"), Err(SuppFeatError)), (Some("g"), Err(SuppFeatError)),
        ];
        for (text, want) in rows {
            let got = SuppFeat::parse(text).map(|feat| (feat.own_members(), feat.negotiated()));
            assert_eq!(got, want, "{text:?}");
        }
    }
}
