//! Anchors in the eyes of somebody else, for the operator (decision 0011): by the query and the decision of a discovery.

use api_types::admin::AnchorView;
use api_types::ids::SpatialAnchorId;
use authorization::Principal;
use service_http::refusal::Refusal;
use store::StoreError;
use store::anchors::{Filter, Found, discovery, survey};

use super::SanServer;
use super::access::{self, Access};
use super::discover::{FIND, everything_for};
use super::shown;
use super::stored::Anchor;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::view::{self, View, Viewer};

impl SanServer {
    /// A page of the anchors that the viewer sees, by identifier.
    ///
    /// # Errors
    /// The store failed.
    pub async fn view(
        &self,
        viewer: &Viewer<'_>,
        after: Option<u32>,
        limit: u32,
    ) -> Result<View<AnchorView>, Refusal> {
        let now_s = self.kit().ambient.now_s();
        let (found, next, eyes) = match viewer {
            Viewer::Operator(_) => {
                let store = &self.kit().store;
                let page = store.read(|tx| Box::pin(async move { survey::page(tx, after, limit).await }));
                let page = page.await?;
                let full = page.len() == limit as usize;
                let next = page.last().map(|last| last.anchor.anchor_id).filter(|_| full);
                (page, next, None)
            }
            Viewer::Somebody(caller) => {
                let (server, who) = (self.clone(), Subscriber::imagined(caller));
                let bounds = self.config().search;
                let filter = Filter { after, limit, bounds, ..everything_for(caller, now_s) };
                let read = self.kit().store.read(move |tx| {
                    Box::pin(async move {
                        let eyes = access::Viewer::new(&server, tx, who, FIND).await?;
                        Ok::<_, StoreError>((discovery::find(tx, &filter).await?, eyes))
                    })
                });
                let (batch, eyes) = read.await?;
                if let Err(denial) = eyes.around.check(caller, FIND, None, &[]) {
                    return Ok(View::denied(denial.reason));
                }
                (batch.found, batch.next, Some(eyes))
            }
        };
        let mut items = Vec::with_capacity(found.len());
        for one in found {
            items.extend(seen(viewer, eyes.as_ref(), one, now_s)?);
        }
        Ok(View { items, next, denied: None })
    }
}

/// The anchor as the viewer sees it, if the viewer does.
fn seen(
    viewer: &Viewer<'_>,
    eyes: Option<&access::Viewer>,
    found: Found,
    now_s: i64,
) -> Result<Option<AnchorView>, StoreError> {
    let owner_name = found.owner_name;
    let anchor = Anchor::of(found.anchor, Principal::new(found.owner_issuer, found.owner_subject))?;
    let access = match eyes.map(|eyes| eyes.access(&anchor)) {
        Some(Ok(access)) => access,
        Some(Err(_)) => return Ok(None),
        None => Access::owners(),
    };
    let body = shown::anchor(&anchor, &access, SuppFeat::all());
    let own = view::own(viewer, &anchor.item);
    let operator = matches!(viewer, Viewer::Operator(_));
    let names = operator || own;
    Ok(Some(AnchorView {
        anchor_id: SpatialAnchorId(anchor.row.anchor_id),
        lon: anchor.row.at.map(|at| at.0),
        lat: anchor.row.at.map(|at| at.1),
        name: body.name,
        service_id: anchor.row.service_id.clone(),
        rules: view::rules(viewer, &anchor.item),
        anchors_list_id: names.then(|| anchor.row.list_id.clone()),
        label: names.then(|| anchor.row.label.clone()),
        owner: operator.then_some(owner_name),
        own,
        active: anchor.body.time_period.is_none_or(|period| period.holds(now_s)),
    }))
}
