//! What an item needs to know of a user, against what the user consents to (TR 33.721 6.5, step 4).

use api_types::nudm_sdm::UcPurpose;
use api_types::san::PersonalDataCategory;

/// What becomes of an item that never said what it needs (S5-PRE).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unregistered {
    /// It needs the purpose of discovery alone.
    #[default]
    Include,
    /// It is hidden.
    Exclude,
}

/// The purposes of categories, in their order.
pub fn purposes(categories: &[PersonalDataCategory]) -> impl Iterator<Item = UcPurpose> + '_ {
    categories.iter().copied().map(UcPurpose::of)
}

/// Whether all that an item needs is consented to: required ⊆ consented. `None`: it never said what it needs.
pub fn covers(
    required: Option<&[PersonalDataCategory]>,
    unregistered: Unregistered,
    consented: impl Fn(&UcPurpose) -> bool,
) -> bool {
    match required {
        None => unregistered == Unregistered::Include,
        Some(categories) => purposes(categories).all(|purpose| consented(&purpose)),
    }
}
