//! Service areas, time periods, and rules of operator and regulator.

use api_types::ids::ValUeId;
use store::anchors::positions::UePosition;

use super::*;

async fn put_position(world: &World, ue: &str, lon: f64, lat: f64) {
    let ue: ValUeId = ue.parse().unwrap();
    world.clock.advance(std::time::Duration::from_millis(1));
    world.san.put_position(&ue, UePosition { lon, lat, alt: None, at_s: NOW }).await.unwrap();
}

#[tokio::test]
async fn a_service_area_lets_in_who_is_inside() {
    let world = World::new().await;
    let area = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 1_000.0) } });
    let body = list(json!({ "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL", "svcArea": area })) }));
    let path = world.post(VS1, &body).await.location();
    let outside = (403, "OUTSIDE_SERVICE_AREA".to_owned(), "OUTSIDE_AREA");
    assert_eq!(world.get(ALICE, &path).await.refusal(), outside, "nobody knows where the UE is");
    assert!(world.get(ALICE, DISC).await.found().is_empty());
    put_position(&world, "alice-ue", 2.0, 48.1).await;
    assert_eq!(world.get(ALICE, &path).await.refusal(), outside);
    put_position(&world, "alice-ue", 2.005, 48.0).await;
    assert_eq!(world.get(ALICE, &path).await.status, 200);
    assert_eq!(world.get(ALICE, DISC).await.found().len(), 1);
    assert_eq!(world.get(VS2, &path).await.status, 200, "a VAL server is at no place");
    assert_eq!(world.get(VS1, &path).await.status, 200);

    let lenient = World::with(SanConfig { unknown_position_is_outside: false, ..SanConfig::default() }).await;
    let path = lenient.post(VS1, &body).await.location();
    assert_eq!(lenient.get(ALICE, &path).await.status, 200);
}

#[tokio::test]
async fn a_time_period_ends_for_everybody_but_the_owner() {
    let world = World::new().await;
    let second = |s: i64| api_types::DateTime::from_unix(NOW + s).to_string();
    let period = json!({ "startTime": second(-1), "stopTime": second(1) });
    let body =
        list(json!({ "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL", "timePeriod": period })) }));
    let path = world.post(VS1, &body).await.location();
    for (now, active) in [(NOW - 2, false), (NOW - 1, true), (NOW, true), (NOW + 1, false), (NOW + 2, false)]
    {
        world.clock.set_s(now);
        let answer = world.get(ALICE, &path).await;
        let want = if active { (200, "none") } else { (404, "OUTSIDE_PERIOD") };
        assert_eq!((answer.status, answer.reason.unwrap_or("none")), want, "{now}");
        assert_eq!(world.get(ALICE, DISC).await.found().len(), usize::from(active), "{now}");
        assert_eq!(world.get(VS1, DISC).await.found().len(), 1, "the owner at {now}");
        assert_eq!(world.get(VS1, &path).await.status, 200, "the owner at {now}");
    }
}

#[tokio::test]
async fn one_rule_denies_what_it_names() {
    let deny = |class: &str, more: Value| {
        let mut rule = json!({ "class": class, "effect": "DENY" });
        for (name, value) in more.as_object().unwrap() {
            rule[name] = value.clone();
        }
        rule
    };
    let area = json!({ "geoServAr": { "geoArs": circle(2.0, 48.0, 1_000.0) } });
    let (operator, regulatory) = (Some((403, "OPERATOR_RULE")), Some((403, "REGULATORY_RULE")));
    type Row = (&'static str, Value, Option<(u16, &'static str)>);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row> = vec![
        ("by client", deny("operator", json!({ "subjects": ["ue-1"] })), operator),
        ("by user", deny("regulatory", json!({ "subjects": ["alice"] })), regulatory),
        ("by VAL service", deny("operator", json!({ "services": ["museum-guide"] })), operator),
        ("by action", deny("operator", json!({ "actions": ["read"] })), operator),
        ("where the UE is", deny("operator", json!({ "area": area })), operator),
        ("of another user", deny("operator", json!({ "subjects": ["bob"] })), None),
        ("of another action", deny("operator", json!({ "actions": ["delete"] })), None),
        ("of another service", deny("operator", json!({ "services": ["other"] })), None),
        ("local: decided at the SIM-S", deny("local", json!({})), None),
        ("over", deny("operator", json!({ "period": { "startTime": "2020-01-01T00:00:00Z", "stopTime": "2021-01-01T00:00:00Z" } })), None),
        ("a list of others", json!({ "class": "operator", "effect": "PERMIT", "subjects": ["bob"] }), operator),
        ("a list with the user", json!({ "class": "operator", "effect": "PERMIT", "subjects": ["bob", "alice"] }), None),
    ];
    for (what, rule, refusal) in rows {
        let world = World::new().await;
        let body = list(json!({ "a": at(2.0, 48.0, json!({ "visibility": "UNIVERSAL" })) }));
        let path = world.post(VS1, &body).await.location();
        put_position(&world, "alice-ue", 2.0, 48.0).await;
        assert_eq!(world.get(ALICE, &path).await.status, 200);
        world.rule("p-1", rule).await;
        let answer = world.get(ALICE, &path).await;
        let got = answer.reason.map(|reason| (answer.status, reason));
        assert_eq!(got, refusal, "{what}: {}", answer.json());
        if refusal.is_some() {
            assert_eq!(answer.cause(), "UNAUTHORIZED_OPERATION", "{what}");
        }
        // To somebody who may not discover it, a rule changes nothing.
        let private = list(json!({ "a": at(2.0, 48.0, json!({})) }));
        let private = world.post(Who::User("bob", &[]), &private).await;
        if private.status == 201 {
            assert_eq!(world.get(ALICE, &private.location()).await.status, 404, "{what}");
        }
    }
}

/// The owner's rules say who may discover an anchor, the operator's what may be done to it: who may discover it is told.
#[tokio::test]
async fn a_rule_denies_discovery_as_a_whole_or_of_what_it_names() {
    let world = World::new().await;
    let open = |lon: f64| list(json!({ "a": at(lon, 48.0, json!({ "visibility": "UNIVERSAL" })) }));
    let created = world.post(VS1, &open(2.0)).await;
    let (path, id) = (created.location(), created.json()["anchors"]["a"]["anchorId"].as_u64().unwrap());
    let other = world.post(VS1, &open(2.1)).await.json()["anchors"]["a"]["anchorId"].as_u64().unwrap();
    let private = world.post(VS1, &list(json!({ "a": at(2.0, 48.0, json!({})) }))).await.location();
    let (one, list_id) = (id.to_string(), path.rsplit('/').next().unwrap());
    let (told, found, part) = (Some("DENIED"), None, Some("ABSENT"));
    type Row<'r> = (&'r str, Value, Option<&'r str>, Option<&'r str>);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 11] = [
        //                                                                                GET    discovery
        ("everything, of one anchor", json!({ "resources": [one] }),                      told,  part),
        ("everything, of one list",   json!({ "resources": [list_id] }),                  told,  part),
        ("discovery of one anchor",   json!({ "resources": [one], "actions": ["discover"] }), found, part),
        ("discovery",                 json!({ "actions": ["discover"] }),                 found, told),
        ("everything",                json!({}),                                          told,  told),
        ("reading",                   json!({ "actions": ["read"] }),                     told,  found),
        ("the scope",                 json!({ "actions": ["3gpp:seal:san.discover"] }),   found, told),
        ("the client",                json!({ "subjects": ["ue-1"] }),                    told,  told),
        ("another user",              json!({ "subjects": ["bob"] }),                     found, found),
        ("the VAL service",           json!({ "services": ["museum-guide"] }),            told,  part),
        ("a list of others",          json!({ "effect": "PERMIT", "subjects": ["bob"], "resources": [one] }), told, part),
    ];
    for (class, reason) in [("operator", "OPERATOR_RULE"), ("regulatory", "REGULATORY_RULE")] {
        for (what, more, read, discovery) in rows.clone() {
            let rule = with(json!({ "class": class, "effect": "DENY" }), |rule| {
                rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            });
            world.rule("r", rule).await;
            let what = format!("{class}: {what}");
            let told_of = (403, "UNAUTHORIZED_OPERATION".to_owned(), reason);
            let answer = world.get(ALICE, &path).await;
            match read {
                None => assert_eq!(answer.status, 200, "{what}"),
                Some(_) => assert_eq!(answer.refusal(), told_of, "{what}"),
            }
            let answer = world.get(ALICE, DISC).await;
            match discovery {
                Some("DENIED") => assert_eq!(answer.refusal(), told_of, "{what}"),
                left_out => {
                    let found = answer.found();
                    assert_eq!(found.contains(&id), left_out.is_none(), "{what}");
                    let named = what.ends_with("VAL service") && left_out.is_some();
                    assert_eq!(found.contains(&other), !named, "{what}");
                }
            }
            assert_eq!(world.get(ALICE, &private).await.refusal().0, 404, "{what}");
        }
    }
    world.rule("r", json!({ "class": "operator", "effect": "DENY", "services": ["museum-guide"] })).await;
    let named = world.get(ALICE, &format!("{DISC}?svc-id=museum-guide")).await;
    assert_eq!(named.refusal(), (403, "UNAUTHORIZED_OPERATION".into(), "OPERATOR_RULE"));
}

#[tokio::test]
async fn a_rule_about_one_anchor_takes_that_one_out() {
    let world = World::new().await;
    let open = |lon: f64| at(lon, 48.0, json!({ "visibility": "UNIVERSAL" }));
    let created = world.post(VS1, &list(json!({ "a": open(2.0), "b": open(2.1) }))).await;
    let id = created.json()["anchors"]["a"]["anchorId"].as_u64().unwrap();
    world.rule("p-1", json!({ "class": "operator", "effect": "DENY", "resources": [id.to_string()] })).await;
    let path = created.location();
    assert_eq!(world.get(ALICE, &path).await.labels(), ["b"]);
    assert!(!world.get(ALICE, DISC).await.found().contains(&id));
    let refused = world.send(VS1, http::Method::DELETE, &path, None).await;
    assert_eq!(
        refused.refusal(),
        (403, "UNAUTHORIZED_OPERATION".into(), "OPERATOR_RULE"),
        "also for its owner"
    );
    world
        .rule(
            "p-2",
            json!({ "class": "operator", "effect": "DENY", "actions": ["create"], "subjects": ["vs-1"] }),
        )
        .await;
    let body = list(json!({ "a": open(2.0) }));
    assert_eq!(world.post(VS1, &body).await.refusal().2, "OPERATOR_RULE");
    assert_eq!(world.post(VS2, &body).await.status, 201);
}

/// T3a: a member that a rule of the operator names is for whom the rule permits it, and not there for anybody else.
#[tokio::test]
async fn what_is_the_operators_is_shown_to_whom_its_rules_permit() {
    let world = World::new().await;
    let more = json!({ "visibility": "UNIVERSAL", "specInfo": "AAAA", "name": "duct" });
    let made = world.post(VS1, &list(json!({ "a": at(2.0, 48.0, more) }))).await;
    let (path, id) = (made.location(), made.json()["anchors"]["a"]["anchorId"].as_u64().unwrap());
    let found = format!("{DISC}?supp-feats=1");
    let searched = format!("{DISC}?anch-inf=%22AAAA%22");
    let seen = async |who| {
        let by_list = world.get(who, &format!("{path}?supp-feats=1")).await.json()["anchors"]["a"].clone();
        let by_search = world.get(who, &found).await.json()["results"][0]["anchInfo"].clone();
        assert_eq!(by_list, by_search, "{who:?}");
        (by_list.get("specInfo").is_some(), by_list.get("name").is_some())
    };
    assert_eq!(seen(VS3).await, (true, true), "no rule names it");
    let part = format!("anchors/{id}/specInfo");
    world
        .rule(
            "r",
            json!({ "class": "operator", "effect": "PERMIT", "subjects": ["vs-2"], "resources": [part] }),
        )
        .await;
    for (what, who, shown) in [
        ("permitted", VS2, (true, true)),
        ("not named", VS3, (false, true)),
        ("a user", ALICE, (false, true)),
        ("the owner", VS1, (true, true)),
    ] {
        assert_eq!(seen(who).await, shown, "{what}");
    }
    assert_eq!(world.get(VS2, &searched).await.found(), [id]);
    assert!(world.get(VS3, &searched).await.found().is_empty(), "nor is it searched for");
    // What is hidden does not show in the tag either.
    let before = world.get(VS3, &path).await.tag();
    assert_eq!(
        world.patch(VS1, &path, &json!({ "anchors": { "a": { "specInfo": "BBBB" } } })).await.status,
        200
    );
    assert_eq!(world.get(VS3, &path).await.tag(), before);
}
