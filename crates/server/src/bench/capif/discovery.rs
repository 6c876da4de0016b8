//! Discovery of one service API among few and among many.

use anyhow::Result;

use super::super::cases;
use super::super::load::{self, request};
use super::super::report::{Report, Row};
use super::Site;
use super::party::{Invoker, Publisher};

/// Few. Own value.
const FEW: u32 = 100;
/// Connections that publish. Own value.
const PUBLISHERS: usize = 8;

/// # Errors
/// Something is not published or not found.
pub(super) async fn measure(site: &Site<'_>, report: &mut Report) -> Result<()> {
    let invoker = Invoker::onboard(&site.program).await?;
    let publisher = Publisher::register(&site.program).await?;
    let mut few = None;
    let mut published = 0;
    for count in [FEW, site.options.apis.max(FEW)] {
        site.progress.begin(&format!("discovery among {count} service APIs, {}", site.on));
        let (from, by) = (published, publisher.clone());
        let more = (count - published) as usize;
        let target = publisher.target(&site.program)?;
        load::each(&target, PUBLISHERS, 201, more, move |n| by.publication(&name(from as usize + n))).await?;
        published = count;
        let id = invoker.id.clone();
        let ask = move |n: usize| {
            // Another one each time, all over the catalogue.
            let api = name(n.wrapping_mul(7_919) % count as usize);
            request(
                "GET",
                &format!("/service-apis/v1/allServiceAPIs?api-invoker-id={id}&api-name={api}"),
                &[],
                "",
            )
        };
        let (process, ambient) = (&site.program.process, &site.options.ambient);
        let target = invoker.target(&site.program, "ccf")?;
        let found = load::run(&target, process, ambient, cases::shape(site.options), 200, ask).await?;
        let mut row = Row::of("apis", format!("service API found among {count}"), &found);
        if let Some(few) = &few {
            row = row.beside(few);
        }
        report.push(row.on(site.on).rss(process.rss_mib()));
        few = few.or(Some(found));
    }
    Ok(())
}

fn name(n: usize) -> String {
    format!("bench-{n:05}")
}
