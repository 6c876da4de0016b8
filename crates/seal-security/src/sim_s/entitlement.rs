//! Who may use which spatial service (TR 33.721 6.1.2, step 2; contract, section 5: policies of class `local`).
//!
//! A user is entitled to what a PERMIT names and no DENY forbids; without a PERMIT, to nothing. A client that acts for
//! itself is entitled to what it was registered with, unless a DENY forbids it. Area and resource are left open: the
//! server that knows them asks again.

use std::collections::BTreeSet;

use api_types::admin;
use api_types::ids::ValServiceId;
use authorization::area::Area;
use authorization::policy::{self, Ask, Class, Period, Policy, Position};
use store::clients::ClientRecord;
use store::users::Profile;

use super::directory::{OPENID, ServiceRow};
use super::world::World;

/// For whom it is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Names that rules may use: client and VAL user.
    pub names: Vec<String>,
    /// VAL services: of the client; for a user, those that the user shares with the client.
    pub val_services: BTreeSet<ValServiceId>,
    /// Whether it is a user with a role of an operator.
    pub operator: bool,
}

impl Party {
    /// A user by way of a client.
    #[must_use]
    pub fn user(profile: &Profile, client: &ClientRecord) -> Self {
        let of_client: BTreeSet<_> = client.registration.val_services.iter().collect();
        Self {
            names: vec![client.client_id.as_str().to_owned(), profile.val_user_id.as_str().to_owned()],
            val_services: profile
                .val_services
                .iter()
                .filter(|own| of_client.contains(own))
                .cloned()
                .collect(),
            operator: !profile.roles.is_empty(),
        }
    }

    /// A user by way of a function.
    #[must_use]
    pub fn of_user_alone(profile: &Profile) -> Self {
        Self {
            names: vec![profile.val_user_id.as_str().to_owned()],
            val_services: profile.val_services.iter().cloned().collect(),
            operator: !profile.roles.is_empty(),
        }
    }

    /// A client for itself.
    #[must_use]
    pub fn client(client: &ClientRecord) -> Self {
        Self {
            names: vec![client.client_id.as_str().to_owned()],
            val_services: client.registration.val_services.iter().cloned().collect(),
            operator: false,
        }
    }
}

/// The part of `asked` that the user is entitled to.
#[must_use]
pub fn of_user(asked: &BTreeSet<String>, party: &Party, world: &World, now_s: i64) -> BTreeSet<String> {
    filter(asked, party, world, now_s, true)
}

/// The part of `asked` that nothing forbids the client.
#[must_use]
pub fn of_client(asked: &BTreeSet<String>, party: &Party, world: &World, now_s: i64) -> BTreeSet<String> {
    filter(asked, party, world, now_s, false)
}

fn filter(
    asked: &BTreeSet<String>,
    party: &Party,
    world: &World,
    now_s: i64,
    by_permit: bool,
) -> BTreeSet<String> {
    let rules: Vec<Policy> = world.policies.iter().filter_map(local).collect();
    let names: Vec<&str> = party.names.iter().map(String::as_str).collect();
    let may = |scope: &str| {
        let mut services = world.directory.services_of(scope);
        services.any(|row| {
            // What is for operators is given by the role of the account, and taken by a rule that denies.
            let by_permit = by_permit && !row.is_for_operators();
            takes_part(row, party) && decide(&rules, &names, row, scope, now_s, by_permit)
        })
    };
    asked.iter().filter(|scope| *scope == OPENID || may(scope)).cloned().collect()
}

/// A service of a VAL service is for its users only (TS 29.549 `ss-ipp`).
fn takes_part(row: &ServiceRow, party: &Party) -> bool {
    if row.is_for_operators() {
        return party.operator;
    }
    row.val_service.as_ref().is_none_or(|service| party.val_services.contains(service))
}

/// A rule may name the action by the scope or by its last word.
fn decide(
    rules: &[Policy],
    names: &[&str],
    row: &ServiceRow,
    scope: &str,
    now_s: i64,
    by_permit: bool,
) -> bool {
    let verb = scope.rsplit(['.', ':']).next().unwrap_or(scope);
    let outcomes = [scope, verb].map(|action| {
        let ask = Ask {
            subjects: names,
            service: Some(row.service.as_str()),
            action: Some(action),
            resource: None,
            position: Position::Later,
            now_s,
        };
        policy::decide_by(rules, &ask, &[Class::Local])
    });
    let forbidden = outcomes.iter().any(|outcome| !outcome.is_permit() && outcome.by.is_some());
    !forbidden && (!by_permit || outcomes.iter().any(|outcome| outcome.is_permit()))
}

/// A rule of class `local`, as it is decided here.
fn local(rule: &admin::Policy) -> Option<Policy> {
    if rule.class != Class::Local {
        return None;
    }
    Some(Policy {
        id: rule.policy_id.clone()?,
        version: rule.version.unwrap_or_default(),
        class: rule.class,
        effect: rule.effect,
        subjects: rule.subjects.clone(),
        services: rule.services.clone(),
        actions: rule.actions.clone(),
        resources: rule.resources.clone(),
        // Where it is, is decided later; that there is an area is all that counts here.
        area: rule.area.as_ref().map(|_| Area(Vec::new())),
        period: rule
            .period
            .as_ref()
            .map(|period| Period { start_s: period.start_time.unix(), stop_s: period.stop_time.unix() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_s::directory::example;
    use authorization::policy::Effect;

    const NOW: i64 = 1_800_000_000;

    fn rule(
        id: &str,
        effect: Effect,
        subjects: &[&str],
        services: &[&str],
        actions: &[&str],
    ) -> admin::Policy {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        admin::Policy {
            policy_id: Some(id.try_into().unwrap()),
            class: Class::Local,
            effect,
            subjects: texts(subjects),
            services: texts(services),
            actions: texts(actions),
            resources: vec![],
            area: None,
            period: None,
            version: Some(1),
        }
    }

    fn entitled(rules: Vec<admin::Policy>, by_permit: bool) -> Vec<String> {
        let world = World { directory: example(), policies: rules, policy_version: 1 };
        let names = vec!["ue-1".into(), "val-alice".into()];
        let party = Party { names, val_services: BTreeSet::new(), operator: false };
        let asked = ["openid", "3gpp:seal:san.read", "3gpp:seal:san.write", "3gpp:seal:sm.read"];
        let asked = asked.into_iter().map(str::to_owned).collect();
        let scopes = filter(&asked, &party, &world, NOW, by_permit);
        scopes.into_iter().map(|scope| scope.trim_start_matches("3gpp:seal:").to_owned()).collect()
    }

    #[test]
    fn a_user_gets_what_is_permitted_and_not_denied() {
        use Effect::{Deny, Permit};
        let anchors: &[&str] = &["spatial-anchor-mgmt"];
        let operator = admin::Policy { class: Class::Operator, ..rule("o", Permit, &[], &[], &[]) };
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Vec<admin::Policy>, &str); 9] = [
            ("no rule", vec![], "openid"),
            ("rule for all", vec![rule("a", Permit, &[], &[], &[])], "openid san.read san.write sm.read"),
            ("one service", vec![rule("a", Permit, &["val-alice"], anchors, &[])], "openid san.read san.write"),
            ("by client", vec![rule("a", Permit, &["ue-1"], anchors, &[])], "openid san.read san.write"),
            ("another user", vec![rule("a", Permit, &["val-bob"], &[], &[])], "openid"),
            ("by verb", vec![rule("a", Permit, &[], anchors, &["read"])], "openid san.read"),
            ("by scope", vec![rule("a", Permit, &[], &[], &["3gpp:seal:sm.read"])], "openid sm.read"),
            ("a deny wins", vec![rule("a", Permit, &[], &[], &[]), rule("d", Deny, &["val-alice"], anchors, &["write"])], "openid san.read sm.read"),
            ("other class", vec![operator], "openid"),
        ];
        for (what, rules, want) in rows {
            let got: BTreeSet<String> = entitled(rules, true).into_iter().collect();
            assert_eq!(got, want.split(' ').map(str::to_owned).collect(), "{what}");
        }
    }

    #[test]
    fn a_client_gets_what_is_not_denied() {
        assert_eq!(entitled(vec![], false).len(), 4);
        let denied = vec![rule("d", Effect::Deny, &["ue-1"], &["spatial-map-mgmt"], &[])];
        assert!(!entitled(denied, false).contains(&"sm.read".to_owned()));
    }

    type Row = (&'static str, bool, Vec<admin::Policy>, bool, &'static [&'static str]);

    #[test]
    fn what_is_for_operators_takes_a_role_and_no_permit() {
        use crate::sim_s::directory::{ADMIN, CONSOLE, Directory};
        use api_types::Function;
        let servers = vec![
            (Function::Console, "https://console.example".to_owned()),
            (Function::Admin, "https://admin.example".to_owned()),
        ];
        let all = rule("a", Effect::Permit, &[], &[], &[]);
        let deny = rule("d", Effect::Deny, &["val-olga"], &["metaseal-admin"], &[]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 5] = [
            ("a role", true, vec![], true, &[CONSOLE, ADMIN]),
            ("no role, though everybody may everything", false, vec![all.clone()], true, &[]),
            ("a client by itself", false, vec![], false, &[]),
            ("a client by itself, permitted", false, vec![all.clone()], false, &[]),
            ("a role, and a rule that denies", true, vec![all, deny], true, &[CONSOLE]),
        ];
        for (what, operator, rules, by_permit, want) in rows {
            let directory = Directory::new([], servers.clone());
            let world = World { directory, policies: rules, policy_version: 1 };
            let party = Party { names: vec!["val-olga".into()], val_services: BTreeSet::new(), operator };
            let asked = [CONSOLE, ADMIN].map(str::to_owned).into_iter().collect();
            let got = filter(&asked, &party, &world, NOW, by_permit);
            assert_eq!(got, want.iter().map(|scope| (*scope).to_owned()).collect(), "{what}");
        }
    }
}
