//! `CAPIF_Open_Discover_Service` (TS 29.222 8.11; sheet 1.5): what anybody may know, who is not onboarded. Interfaces,
//! security methods and ranges of UEs have no place in its types.

mod filter;
mod find;

pub(crate) use find::discover;
