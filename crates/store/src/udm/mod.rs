//! What the UDM keeps (TS 29.503, as far as user consent needs it; contract section 5).

pub mod consents;
pub mod purposes;
pub mod sdm_subscriptions;
pub mod subscribers;
