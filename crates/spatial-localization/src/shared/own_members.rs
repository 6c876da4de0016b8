//! Members of anchors and maps beyond Rel-19, for peers that set feature 1 (contract, section 7).

use serde_json::Value;

/// Their names, in an anchor and in the profile of a map alike.
const NAMES: [&str; 6] =
    ["visibility", "timePeriod", "premises", "servInfos", "name", "personalDataRequired"];

/// Takes them out of an anchor or a profile as it was sent.
pub(crate) fn strip(body: Option<&mut Value>) {
    if let Some(Value::Object(members)) = body {
        NAMES.iter().for_each(|name| drop(members.remove(*name)));
    }
}

/// Keeps them as they were: a peer that does not know them neither sees nor changes them, so that a peer of Rel-19 does
/// not open a private item by replacing it.
macro_rules! keep {
    ($before:expr, $after:expr) => {{
        let (before, after) = ($before, $after);
        after.visibility = before.visibility;
        after.time_period = before.time_period;
        after.premises.clone_from(&before.premises);
        after.serv_infos.clone_from(&before.serv_infos);
        after.name.clone_from(&before.name);
        after.personal_data_required.clone_from(&before.personal_data_required);
    }};
}

pub(crate) use keep;
