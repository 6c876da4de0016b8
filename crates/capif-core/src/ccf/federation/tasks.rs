//! What runs for each partner, as long as there is a core function.

use std::time::Duration;

use store::capif::service_apis;
use store::{Sql, StoreError};

use super::{Partner, Take, is_of_partner, pull, push, registrations};
use crate::ccf::CcfServer;
use crate::ccf::server::WeakCcf;

/// Time between two looks at whether something of ours has changed. Own value.
const LOOK: Duration = Duration::from_millis(500);
/// Looks between two comparisons with a partner, changed or not: it may have lost something. Own value: 5 minutes.
const COMPARE: u32 = 600;
/// Looks between two discoveries at a partner. Own value: a minute.
const DISCOVER: u32 = 120;
/// First and longest wait after a failure, in looks. Own values.
const PAUSE: u32 = 2;
const PAUSE_MAX: u32 = 120;

/// Begins; withdraws what is kept of partners that are none any more.
///
/// # Errors
/// The store fails.
pub(crate) async fn start(ccf: &CcfServer) -> Result<(), StoreError> {
    let server = ccf.clone();
    let job = ccf.kit().store.write(move |tx| Box::pin(async move { forget(&server, tx).await }));
    let epoch: Result<_, StoreError> = job.await;
    ccf.acknowledge(epoch?).await?;
    let Some(federation) = &ccf.config().federation else { return Ok(()) };
    for partner in &federation.partners {
        tokio::spawn(keep_up(ccf.downgrade(), federation.ccf_id.clone(), partner.clone()));
    }
    Ok(())
}

/// Ends the service APIs of former partners.
async fn forget(ccf: &CcfServer, tx: &mut dyn Sql) -> Result<Option<u64>, StoreError> {
    let known = registrations(ccf);
    let mut entries = Vec::new();
    for row in service_apis::all(tx).await? {
        if is_of_partner(&row.registration_id) && !known.contains(&row.registration_id) {
            entries.extend(ccf.end_api(tx, &row).await?);
        }
    }
    ccf.note(tx, entries).await
}

async fn keep_up(ccf: WeakCcf, own_id: String, partner: Partner) {
    let (mut pushed, mut pulled) = (Task::new(COMPARE), Task::new(DISCOVER));
    loop {
        {
            let Some(ccf) = ccf.upgrade() else { return };
            let version = ccf.kit().store.read(|tx| Box::pin(service_apis::version(tx))).await;
            if let Ok(version) = version
                && pushed.is_due(version)
            {
                pushed.ended(version, &partner, push::push(&ccf, &own_id, &partner).await);
            }
            if partner.take == Take::Discovered && pulled.is_due(0) {
                pulled.ended(0, &partner, pull::pull(&ccf, &own_id, &partner).await);
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// When something is done again.
struct Task {
    every: u32,
    /// The version that was last dealt with.
    done: Option<u64>,
    looks: u32,
    /// Looks to wait after a failure.
    pause: Option<u32>,
}

impl Task {
    fn new(every: u32) -> Self {
        Self { every, done: None, looks: 0, pause: None }
    }

    /// Whether a look finds it due; counts the look.
    fn is_due(&mut self, version: u64) -> bool {
        self.looks = self.looks.saturating_add(1);
        match self.pause {
            Some(pause) => self.looks >= pause,
            None => self.done != Some(version) || self.looks >= self.every,
        }
    }

    fn ended(&mut self, version: u64, partner: &Partner, outcome: Result<usize, super::LinkError>) {
        self.looks = 0;
        match outcome {
            Ok(steps) => {
                if steps > 0 || self.pause.is_some() {
                    tracing::info!(
                        partner = partner.ccf_id,
                        steps,
                        "interconnected service APIs are up to date"
                    );
                }
                (self.done, self.pause) = (Some(version), None);
            }
            Err(error) => {
                let pause = self.pause.map_or(PAUSE, |before| before.saturating_mul(2).min(PAUSE_MAX));
                if self.pause.is_none() {
                    tracing::warn!(partner = partner.ccf_id, %error, "a partner core function was not brought up to date; it is tried again");
                }
                self.pause = Some(pause);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_due_by_change_by_time_and_later_after_each_failure() {
        let looks = |task: &mut Task, version| (1..).find(|_| task.is_due(version)).unwrap();
        let mut task = Task::new(10);
        assert_eq!(looks(&mut task, 1), 1);
        (task.done, task.looks) = (Some(1), 0);
        assert_eq!(looks(&mut task, 1), 10);
        task.looks = 0;
        assert_eq!(looks(&mut task, 2), 1);
        (task.pause, task.looks) = (Some(4), 0);
        assert_eq!(looks(&mut task, 2), 4);
    }
}
