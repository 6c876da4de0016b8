//! `metaseal why TRACE`

use std::process::ExitCode;

use anyhow::{Result, bail};
use api_types::admin::{CheckVerdict, Why as Explanation};

use super::admin_link::AdminLink;
use super::arguments::{Common, Why};

pub(super) async fn run(common: Common, why: Why) -> Result<ExitCode> {
    let trace = why.trace.trim();
    // The whole header value is what people have at hand.
    let trace = trace.strip_prefix("00-").and_then(|rest| rest.split('-').next()).unwrap_or(trace);
    if trace.len() != 32 || !trace.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!(
            "{} is not a trace id: 32 hexadecimal digits, from the `traceparent` header of the answer",
            why.trace
        );
    }
    let link = AdminLink::open(&common)?;
    let answer = link.client.why(&trace.to_ascii_lowercase()).await?;
    if common.json {
        crate::out!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        crate::out!("{}", in_words(&answer).trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

/// The decision as a table for people.
fn in_words(why: &Explanation) -> String {
    let mut out = format!("{}  {} at {}\n", why.verdict, why.operation, why.function);
    if let Some(reason) = &why.reason {
        let cause = why.cause.as_deref().unwrap_or("");
        out.push_str(&format!("reason {reason}; on the wire: {} {cause}\n", why.status));
    }
    out.push('\n');
    for check in &why.checks {
        let mark = match check.verdict {
            CheckVerdict::Pass => "✓",
            CheckVerdict::Skip => "·",
            CheckVerdict::Fail => "✗",
        };
        out.push_str(&format!("  {mark} {:<26} expected {}\n", check.check, check.expected));
        if check.verdict == CheckVerdict::Fail {
            out.push_str(&format!("    {:<26} seen     {}\n", "", check.seen));
        }
        if let Some(remedy) = &check.remedy {
            out.push_str(&format!("    {:<26} remedy   {remedy}\n", ""));
        }
    }
    out
}
