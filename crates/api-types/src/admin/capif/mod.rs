//! What an operator sees and provisions of the CAPIF core function.

mod catalogue;
mod owners;
mod party;

pub use catalogue::{
    CapifAccessControl, CapifApi, CapifContext, CapifContextEntry, CapifNegotiated, CapifUser, OpenApis,
};
pub use owners::{CapifAsk, CapifExplain, CapifExplained, CapifOutcome, CapifResource};
pub use party::{
    CapifCertificate, CapifFunction, CapifInvoker, CapifProvider, CapifRefusal, CapifToken, EnrolmentInfo,
};
