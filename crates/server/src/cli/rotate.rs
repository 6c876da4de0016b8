//! `metaseal rotate ROLE [--emergency]`

use std::process::ExitCode;

use super::admin_link::AdminLink;
use super::arguments::{Common, Rotate};
use anyhow::Result;

pub(super) async fn run(common: Common, rotate: Rotate) -> Result<ExitCode> {
    let link = AdminLink::open(&common)?;
    let rotated = link.client.rotate(&rotate.role, rotate.emergency).await?;
    if common.json {
        crate::out!("{}", serde_json::to_string_pretty(&rotated)?);
    } else {
        crate::out!("The new key {} signs from {} on.", rotated.kid, rotated.active_from);
        if rotate.emergency {
            crate::out!("The old key no longer counts.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
