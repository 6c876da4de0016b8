//! The rules of operator and regulator at a resource server (design, section 2, stage `operator`).
//!
//! Local rules are not asked again: by them the SIM-S decided whom it gave a token. The rules are rows of the function's
//! own store; a copy is kept in memory under the version of the rows, which every decision looks at.

use std::sync::{Arc, Mutex, PoisonError};

use api_types::admin;
use api_types::function::Function;
use api_types::geo::{GeographicArea, ServiceArea};
use authorization::area::{Area, Point, Shape};
use authorization::policy::{self, Ask, Class, Effect, Period, Policy, Position};
use authorization::{Caller, CallerKind, Reason};
use store::{Sql, StoreError};

use super::denial::Denial;
use super::publication::CoreFunction;
use super::publication::echo::{EchoedPolicies, action_of};

/// Rows of one read. Own value.
const PAGE: u32 = 500;

/// Classes that are decided here.
const CLASSES: [Class; 2] = [Class::Regulatory, Class::Operator];

/// The rules in force, and the services that they may name.
#[derive(Debug, Default)]
pub struct OperatorRules {
    /// Version of the rules as a whole, for audit.
    pub version: u64,
    services_version: u64,
    policies: Vec<Policy>,
    services: Vec<Service>,
    /// What owners deny at the core function.
    pub(crate) echoed: Arc<EchoedPolicies>,
    /// The issuer of the core function's tokens, where the server is registered at one.
    core: Option<Arc<str>>,
}

#[derive(Debug)]
struct Service {
    id: String,
    scopes: Vec<String>,
    val_service: Option<String>,
}

/// The copy in memory.
#[derive(Debug, Default)]
pub struct RulesCache {
    core: Option<Arc<str>>,
    kept: Mutex<Arc<OperatorRules>>,
    /// The same, and the state of the store in which it was in force.
    settled: Mutex<Option<(u64, Arc<OperatorRules>)>>,
}

/// What is to be done, by every name that a rule may have for it.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// As `create`, `read`, `update`, `delete`, `discover`, `localize`.
    pub verb: &'static str,
    /// The scope that opens it; its last word is a name too.
    pub scope: &'static str,
}

impl Action {
    fn names(&self) -> [&'static str; 3] {
        [self.verb, self.scope.rsplit(['.', ':']).next().unwrap_or(self.scope), self.scope]
    }
}

impl RulesCache {
    /// The rules of a server that is registered at this core function, if it is at any.
    pub fn at(core: Option<&CoreFunction>) -> Self {
        Self { core: core.map(|core| core.issuer.as_str().into()), ..Self::default() }
    }

    /// The rules in force, where it is known without a look at the rows: the store is still in that state.
    pub fn settled(&self, settled: u64) -> Option<Arc<OperatorRules>> {
        let kept = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(state, _)| *state == settled).map(|(_, rules)| Arc::clone(rules))
    }

    /// Rules that were in force in a snapshot that began when the store was in this state.
    pub fn settle(&self, settled: u64, rules: &Arc<OperatorRules>) {
        let mut kept = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
        // A state that has passed never comes again.
        if kept.as_ref().is_none_or(|(state, _)| *state < settled) {
            *kept = Some((settled, Arc::clone(rules)));
        }
    }

    /// The rules in force, read anew where the rows have another version.
    ///
    /// # Errors
    /// The store failed; a row is damaged.
    pub async fn current(
        &self,
        tx: &mut dyn Sql,
        function: Function,
    ) -> Result<Arc<OperatorRules>, StoreError> {
        let version = store::policies::version(tx).await?;
        let services_version = store::services::version(tx).await?;
        let echoed_version = store::echoed_policies::version(tx).await?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let versions = (kept.version, kept.services_version, kept.echoed.version);
        if versions == (version, services_version, echoed_version) {
            return Ok(kept);
        }
        let echoed = match kept.echoed.version == echoed_version {
            true => Arc::clone(&kept.echoed),
            false => Arc::new(EchoedPolicies::all(tx).await?),
        };
        let read = Arc::new(OperatorRules {
            version,
            services_version,
            policies: policies(tx).await?,
            services: services(tx, function).await?,
            echoed,
            core: self.core.clone(),
        });
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
        Ok(read)
    }
}

impl OperatorRules {
    /// Decides whether `caller` may do `action`, of the VAL service `val_service`, to the resource of these names.
    ///
    /// `place` is where the operator saw the UE of the caller. A VAL server is at no place, and is not asked for one.
    ///
    /// # Errors
    /// [`Reason::RegulatoryRule`], [`Reason::OperatorRule`].
    pub fn check(
        &self,
        caller: &Caller,
        action: Action,
        val_service: Option<&str>,
        resource: &[&str],
        place: Option<(f64, f64)>,
        now_s: i64,
    ) -> Result<(), Reason> {
        if self.policies.is_empty() {
            return Ok(());
        }
        let mut subjects = vec![caller.client_id.as_str()];
        if caller.kind == CallerKind::ValServer {
            subjects.push(caller.val_server());
        }
        subjects.extend(caller.user.as_ref().map(|user| user.as_str()));
        let position = match place {
            Some((lon, lat)) => Position::At(Point::new(lon, lat)),
            None if caller.kind == CallerKind::ValClient => Position::Unknown,
            None => Position::Later,
        };
        let services = self.services(action.scope, val_service);
        let resources: Vec<Option<&str>> =
            if resource.is_empty() { vec![None] } else { resource.iter().map(|name| Some(*name)).collect() };
        for service in &services {
            for resource in &resources {
                for action in action.names() {
                    let ask = Ask {
                        subjects: &subjects,
                        service: Some(service),
                        action: Some(action),
                        resource: *resource,
                        position,
                        now_s,
                    };
                    policy::decide_by(&self.policies, &ask, &CLASSES).check()?;
                }
            }
        }
        Ok(())
    }

    /// Decides whether the owner of a resource of the core function has kept nothing there that denies.
    ///
    /// # Errors
    /// [`Reason::OwnerDenied`].
    pub(crate) fn check_owner(
        &self,
        caller: &Caller,
        action: Action,
        resource: impl FnOnce() -> String,
        place: Option<(f64, f64)>,
        now_s: i64,
    ) -> Result<(), Denial> {
        if self.echoed.is_empty() {
            return Ok(());
        }
        let is_invoker = self.core.as_deref() == Some(caller.issuer.as_str());
        self.echoed.check(caller, is_invoker, &resource(), action_of(action.verb), place, now_s)
    }

    /// The parts of an object that some rule names, as `<object>/<part>`.
    pub fn parts_of(&self, object: &str) -> impl Iterator<Item = &str> {
        let named = self.policies.iter().flat_map(|policy| &policy.resources);
        named.filter_map(move |name| name.strip_prefix(object)?.strip_prefix('/'))
    }

    /// The services that the action may be a use of: those of the scope, and the VAL service itself.
    fn services<'a>(&'a self, scope: &'a str, val_service: Option<&'a str>) -> Vec<&'a str> {
        let of_row = |service: &Service| {
            let by_scope = service.scopes.iter().any(|own| own == scope || bare(own, scope));
            let by_val = service.val_service.is_none() || service.val_service.as_deref() == val_service;
            by_scope && by_val
        };
        let mut services: Vec<&str> = self
            .services
            .iter()
            .filter(|service| of_row(service))
            .map(|service| service.id.as_str())
            .collect();
        services.extend(val_service);
        services.push(scope);
        services
    }
}

/// Whether `own` is the bare name of the row of `scope`.
fn bare(own: &str, scope: &str) -> bool {
    scope.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'))
}

async fn policies(tx: &mut dyn Sql) -> Result<Vec<Policy>, StoreError> {
    let mut policies = Vec::new();
    let mut after = String::new();
    loop {
        let page = store::policies::page(tx, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(policies) };
        after.clone_from(&last.id);
        for row in page {
            let damaged = || StoreError::Damaged("a policy cannot be read");
            let body: admin::Policy = serde_json::from_str(&row.body).map_err(|_| damaged())?;
            let id = row.id.parse().map_err(|_| damaged())?;
            if CLASSES.contains(&body.class) {
                policies.push(Policy {
                    id,
                    version: row.version,
                    class: body.class,
                    effect: body.effect,
                    subjects: body.subjects,
                    services: body.services,
                    actions: body.actions,
                    resources: body.resources,
                    area: body.area.as_ref().and_then(|area| rule_area(area, body.effect)),
                    period: body.period.as_ref().map(|period| Period {
                        start_s: period.start_time.unix(),
                        stop_s: period.stop_time.unix(),
                    }),
                });
            }
        }
    }
}

async fn services(tx: &mut dyn Sql, function: Function) -> Result<Vec<Service>, StoreError> {
    let mut services = Vec::new();
    let mut after = String::new();
    loop {
        let page = store::services::page(tx, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(services) };
        after.clone_from(&last.id);
        for row in page {
            let body: admin::Service = serde_json::from_str(&row.body)
                .map_err(|_| StoreError::Damaged("a service cannot be read"))?;
            if body.role == function {
                let val_service = body.val_service_id.map(|id| id.as_str().to_owned());
                services.push(Service { id: row.id, scopes: body.scopes, val_service });
            }
        }
    }
}

/// The area of a rule. What has no geometry here makes a DENY hold everywhere and a PERMIT nowhere; a shape that is
/// only approached is taken too large for a DENY and too small for a PERMIT.
fn rule_area(area: &ServiceArea, effect: Effect) -> Option<Area> {
    let shapes: Option<Vec<Shape>> =
        area.geographic().iter().map(|shape| rule_shape(shape, effect == Effect::Deny)).collect();
    match (shapes, effect) {
        (Some(shapes), _) if !shapes.is_empty() => Some(Area(shapes)),
        (_, Effect::Deny) => None,
        (_, Effect::Permit) => Some(Area(Vec::new())),
    }
}

fn rule_shape(area: &GeographicArea, outer: bool) -> Option<Shape> {
    let circle = |point: &api_types::geo::GeographicalCoordinates, radius_m: f64| {
        Some(Shape::Circle { centre: Point::new(point.lon, point.lat), radius_m })
    };
    match area {
        GeographicArea::Point { point } | GeographicArea::PointAltitude { point, .. } => circle(point, 1.0),
        GeographicArea::PointUncertaintyCircle { point, uncertainty } => circle(point, *uncertainty),
        GeographicArea::PointUncertaintyEllipse { point, uncertainty_ellipse: ellipse, .. }
        | GeographicArea::PointAltitudeUncertainty { point, uncertainty_ellipse: ellipse, .. } => {
            let (long, short) =
                (ellipse.semi_major.max(ellipse.semi_minor), ellipse.semi_major.min(ellipse.semi_minor));
            circle(point, if outer { long } else { short })
        }
        GeographicArea::Polygon { point_list } => {
            Some(Shape::Polygon(point_list.iter().map(|point| Point::new(point.lon, point.lat)).collect()))
        }
        GeographicArea::EllipsoidArc { point, inner_radius, uncertainty_radius, .. } if outer => {
            circle(point, f64::from(*inner_radius) + uncertainty_radius)
        }
        GeographicArea::EllipsoidArc { .. } | GeographicArea::Other(_) => None,
    }
}
