//! `CAPIF_Discover_Service` (TS 29.222 8.1; sheet 1.4).

mod answer;
mod catalogue;
mod criteria;
mod filter;
mod find;
mod kpis;
mod place;
mod resources;
mod visible;

pub(crate) use answer::Json;
pub(crate) use catalogue::{Catalogue, Entry, Published};
pub(crate) use criteria::Criteria;
pub(crate) use filter::supports;
pub(crate) use find::{discover, query};
pub(crate) use visible::{Viewer, is_shared};

use api_types::capif::discover::{
    API_SUPPORTED_FEATURE_QUERY, RNAA, SLICE_BASED_API_EXPOSURE, VEND_SPEC_QUERY_PARAMS,
};

/// Features of the API that are served.
const FEATURES: [u32; 4] =
    [API_SUPPORTED_FEATURE_QUERY, VEND_SPEC_QUERY_PARAMS, RNAA, SLICE_BASED_API_EXPOSURE];
