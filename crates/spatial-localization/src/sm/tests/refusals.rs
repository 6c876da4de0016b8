//! A good case, then one thing spoiled per row, each with its own reason.

use authorization::Reason;
use serde_json::{Value, json};

use super::bench::*;

type Spoil = fn(&mut Value);

#[tokio::test]
async fn one_spoiled_member_refuses_a_new_map() {
    let bench = Bench::new().await;
    let good = || request(json!({ "allwEnt": allow(&["vs-2"], &[]), "lyrInf": [{ "mapAsc": "x" }] }));
    assert_eq!(bench.send(ask(VS1, "POST", MAPS).json(&good())).await.status, 201);
    let missing = "MANDATORY_IE_MISSING";
    let (wrong, optional) = ("MANDATORY_IE_INCORRECT", "OPTIONAL_IE_INCORRECT");
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str, &str); 14] = [
        ("no service",          |v| { v.as_object_mut().unwrap().remove("svcId"); },   missing, "/svcId"),
        ("no area",             |v| { v.as_object_mut().unwrap().remove("areaInt"); }, missing, "/areaInt"),
        ("service is a number", |v| v["svcId"] = json!(4711),                          wrong,   "/svcId"),
        ("empty mapInf",        |v| v["mapInf"] = json!({}),                           wrong,   "/mapInf"),
        ("empty rules",         |v| v["mapInf"]["allwEnt"] = json!({}),                wrong,   "/mapInf/allwEnt"),
        ("empty layer",         |v| v["mapInf"]["lyrInf"] = json!([{}]),               wrong,   "/mapInf/lyrInf/0"),
        ("unknown visibility",  |v| v["mapInf"]["visibility"] = json!("HIDDEN"),       wrong,   "/mapInf/visibility"),
        ("a map without lat",   |v| v["areaInt"]["geoServAr"]["geoArs"] = json!([{ "shape": "POINT", "point": { "lon": 1 } }]), missing, "/areaInt/geoServAr/geoArs/0/lat"),
        ("beyond the pole",     |v| v["areaInt"]["geoServAr"]["geoArs"] = json!([{ "shape": "POINT", "point": { "lon": 1, "lat": 91 } }]), wrong, "/areaInt/geoServAr/geoArs/0/point/lat"),
        ("edges that cross",    |v| { let p = v["areaInt"]["geoServAr"]["geoArs"][0]["pointList"].as_array_mut().unwrap(); p.swap(1, 2); }, wrong, "/areaInt"),
        ("anchor is no number", |v| v["mapInf"]["augLyrInf"] = json!([{ "augWith": "SPATIAL_ANCHORS", "augLyrDet": ["a1"] }]), wrong, "/mapInf/augLyrInf/0/augLyrDet/0"),
        ("features no mask",    |v| v["suppFeat"] = json!("x"),                        optional,   "/suppFeat"),
        ("a period backwards",  |v| v["mapInf"]["timePeriod"] = json!({ "startTime": "2027-01-02T00:00:00Z", "stopTime": "2027-01-01T00:00:00Z" }), wrong, "/mapInf/timePeriod/stopTime"),
        ("provider forged",     |v| v["mapInf"]["servInfos"] = json!([{ "servInfoId": "i", "providerId": "vs-9", "info": "x" }]), "UNAUTHORIZED_OPERATION", ""),
    ];
    for (what, spoil, cause, param) in rows {
        let mut body = good();
        spoil(&mut body);
        let answer = bench.send(ask(VS1, "POST", MAPS).json(&body)).await;
        let json = answer.json();
        assert_eq!(json["cause"], cause, "{what}: {json}");
        if !param.is_empty() {
            let reason = if cause == missing { Reason::MemberMissing } else { Reason::InputRefused };
            assert_eq!((answer.status, answer.reason), (400, Some(reason)), "{what}");
            assert_eq!(json["invalidParams"][0]["param"].as_str(), Some(param), "{what}: {json}");
        }
        assert!(
            !json.to_string().contains("4711") && !json.to_string().contains("HIDDEN"),
            "{what}: a value is echoed"
        );
    }
    assert_eq!(bench.charged().await.len(), 1, "only the good one");
}

#[tokio::test]
async fn a_body_is_strict_json_of_its_type() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let good = request(Value::Null).to_string();
    let twice = good.replacen("\"svcId\"", "\"svcId\":\"a\",\"svcId\"", 1);
    let large = " ".repeat(5 * 1024 * 1024);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, String, &str, &str, u16); 8] = [
        ("POST", "",     "text".into(),   "text/plain",                   "UNSUPPORTED_MEDIA_TYPE", 415),
        ("POST", "",     good.clone(),    "application/merge-patch+json", "UNSUPPORTED_MEDIA_TYPE", 415),
        ("PUT",  "/map", good.clone(),    "application/merge-patch+json", "UNSUPPORTED_MEDIA_TYPE", 415),
        ("POST", "",     "{".into(),      "application/json",             "INVALID_MSG_FORMAT",     400),
        ("POST", "",     twice,           "application/json",             "INVALID_MSG_FORMAT",     400),
        ("POST", "",     "[]".into(),     "application/json",             "INVALID_MSG_FORMAT",     400),
        ("POST", "",     large,           "application/json",             "TOO_LARGE",              413),
        ("PATCH", "/map", "[]".into(),    "application/json",             "INVALID_MSG_FORMAT",     400),
    ];
    for (method, path, body, media_type, cause, status) in rows {
        let path = if path.is_empty() { MAPS.to_owned() } else { bench.at(id) };
        let what = format!("{method} {media_type} {}", body.chars().take(20).collect::<String>());
        let answer = bench.send(ask(VS1, method, path).typed(media_type, body)).await;
        assert_eq!((answer.status, answer.json()["cause"].as_str()), (status, Some(cause)), "{what}");
    }
}

#[tokio::test]
async fn a_query_names_a_map_and_nothing_else() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let good = format!("svc-id=val-service-1&map-id={id}");
    assert_eq!(bench.send(ask(VS1, "GET", format!("{MAPS}?{good}"))).await.status, 200);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, String, &str); 8] = [
        ("no service",    format!("map-id={id}"),                    "svc-id"),
        ("no map",        "svc-id=val-service-1".into(),             "map-id"),
        ("twice",         format!("{good}&map-id={id}"),             "map-id"),
        ("no number",     "svc-id=val-service-1&map-id=x".into(),    "map-id"),
        ("too large",     "svc-id=val-service-1&map-id=4294967296".into(), "map-id"),
        ("no layers",     format!("{good}&map-layer-list=%7B%7D"),   "map-layer-list/lyrList"),
        ("no list",       format!("{good}&aug-with=%5B%5D"),         "aug-with"),
        ("no mask",       format!("{good}&supp-feats=x"),            "supp-feats"),
    ];
    for (what, query, param) in rows {
        let answer = bench.send(ask(VS1, "GET", format!("{MAPS}?{query}"))).await;
        let json = answer.json();
        assert_eq!(
            (answer.status, json["cause"].as_str()),
            (400, Some("INVALID_QUERY_PARAM")),
            "{what}: {json}"
        );
        assert_eq!(json["invalidParams"][0]["param"].as_str(), Some(param), "{what}: {json}");
    }
}

/// Absent, hidden, private, inactive and of another's rules: one answer, byte for byte, for every operation.
#[tokio::test]
async fn hidden_is_absent() {
    let bench = Bench::new().await;
    let period = |from: &str, to: &str| json!({ "startTime": from, "stopTime": to });
    let for_others = bench.map(VS1, json!({ "allwEnt": allow(&["vs-3"], &["bob"]) })).await;
    let private = json!({ "allwEnt": allow(&["vs-2"], &[]), "visibility": "PRIVATE" });
    let private = bench.map(VS1, private).await;
    let bare = bench.map(VS1, Value::Null).await;
    let past = period("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    let past = bench.map(VS1, json!({ "visibility": "UNIVERSAL", "timePeriod": past })).await;
    let later = period("2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z");
    let later = bench.map(VS1, json!({ "visibility": "UNIVERSAL", "timePeriod": later })).await;
    let open = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let gone = bench.map(VS1, Value::Null).await;
    assert_eq!(bench.send(ask(VS1, "DELETE", bench.at(gone))).await.status, 204);
    assert_eq!(bench.send(ask(VS2, "GET", bench.at(open))).await.status, 200, "the positive control");

    let whole = |id: u64| {
        let profile =
            json!({ "mapId": id, "mapCov": {}, "mapLyrList": { "lyrList": [{ "mapLyrId": "a" }] } });
        json!({ "smProf": profile })
    };
    let requests = |who: Who, id: u64| {
        let (at, content) = (bench.at(id), bench.content(id));
        [
            ("GET", ask(who, "GET", &at)),
            ("GET with a tag", ask(who, "GET", &at).with("if-none-match", "*")),
            ("GET by query", ask(who, "GET", format!("{MAPS}?svc-id=val-service-1&map-id={id}"))),
            ("PUT", ask(who, "PUT", &at).json(&whole(id))),
            ("PUT with a tag", ask(who, "PUT", &at).json(&whole(id)).with("if-match", "\"x\"")),
            ("PATCH", ask(who, "PATCH", &at).json(&json!({ "smProf": { "mapId": 1 } }))),
            ("DELETE", ask(who, "DELETE", &at)),
            ("GET content", ask(who, "GET", &content)),
            ("HEAD content", ask(who, "HEAD", &content)),
            ("GET a range", ask(who, "GET", &content).with("range", "bytes=0-0")),
            ("PUT content", ask(who, "PUT", &content).typed("application/zip", "zip")),
            ("PUT a page", ask(who, "PUT", &content).typed("text/html", "html")),
        ]
    };
    for who in [VS2, ALICE, EVE] {
        let mut absent = Vec::new();
        for (_, ask) in requests(who, 4_000_000_000) {
            let answer = bench.send(ask).await;
            assert_eq!(answer.refused().0, 404);
            absent.push(answer.seen());
        }
        let hidden = [
            ("for others", for_others),
            ("private", private),
            ("no rules", bare),
            ("past", past),
            ("later", later),
            ("gone", gone),
        ];
        for (what, id) in hidden {
            for ((name, ask), absent) in requests(who, id).into_iter().zip(&absent) {
                assert_eq!(&bench.send(ask).await.seen(), absent, "{who:?} {name} {what}");
            }
        }
    }
    for id in [private, bare, past, later] {
        assert_eq!(bench.send(ask(VS1, "GET", bench.at(id))).await.status, 200, "the owner finds it");
    }
}

#[tokio::test]
async fn who_may_read_may_not_write() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "allwEnt": allow(&["vs-2"], &["alice"]) })).await;
    let before = bench.send(ask(VS1, "GET", bench.at(id))).await.seen();
    for who in [VS2, ALICE] {
        let map = bench.send(ask(who, "GET", bench.at(id))).await;
        assert_eq!(map.status, 200);
        assert_eq!(map.json()["smProf"].get("allwEnt"), None, "rules are the creator's");
        let patch = json!({ "smProf": { "objList": [{ "objId": "o", "objType": "t" }] } });
        for ask in [
            ask(who, "PUT", bench.at(id)).json(&map.json()),
            ask(who, "PATCH", bench.at(id)).json(&patch),
            ask(who, "DELETE", bench.at(id)),
            ask(who, "PUT", bench.content(id)).typed("application/zip", "zip"),
        ] {
            let answer = bench.send(ask).await;
            assert_eq!(
                answer.refused(),
                (403, Some(Reason::NotOwner), "UNAUTHORIZED_OPERATION".into()),
                "{who:?}"
            );
        }
    }
    assert_eq!(bench.send(ask(VS1, "GET", bench.at(id))).await.seen(), before, "nothing changed");
}

#[tokio::test]
async fn the_number_of_a_put_is_that_of_its_path() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let other = bench.map(VS1, Value::Null).await;
    let mut map = bench.send(ask(VS1, "GET", bench.at(id))).await.json();
    assert_eq!(bench.send(ask(VS1, "PUT", bench.at(id)).json(&map)).await.status, 200);
    map["smProf"]["mapId"] = json!(other);
    let answer = bench.send(ask(VS1, "PUT", bench.at(id)).json(&map)).await;
    assert_eq!((answer.status, &answer.json()["invalidParams"][0]["param"]), (400, &json!("/smProf/mapId")));
    let patch = json!({ "smProf": { "mapId": other } });
    assert_eq!(bench.send(ask(VS1, "PATCH", bench.at(id)).json(&patch)).await.status, 400);
}

#[tokio::test]
async fn a_scope_opens_its_own_methods() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, Value::Null).await;
    let (read, write) = ("3gpp:seal:sm.read", "3gpp:seal:sm.write");
    let narrow = (403, Some(Reason::ScopeNarrow), "INSUFFICIENT_SCOPE".to_owned());
    #[rustfmt::skip] // a table stays a table
    let rows: [(Ask, &str, bool); 8] = [
        (ask(VS1, "GET", bench.at(id)), read, true), (ask(VS1, "GET", bench.at(id)), write, false),
        (ask(VS1, "POST", MAPS).json(&request(Value::Null)), write, true), (ask(VS1, "POST", MAPS).json(&request(Value::Null)), read, false),
        (ask(VS1, "GET", DISC), "3gpp:seal:sm", true), (ask(VS1, "GET", DISC), "3gpp:seal:sm.localize", false),
        (ask(VS1, "GET", bench.at(id)), "3gpp:seal:san", false), (ask(VS1, "DELETE", bench.at(id)), read, false),
    ];
    for (at, (ask, scope, opens)) in rows.into_iter().enumerate() {
        let answer = bench.send(ask.scope(scope)).await;
        match opens {
            true => assert!(answer.status < 300, "{at}: {}", answer.json()),
            false => assert_eq!(answer.refused(), narrow, "{at}"),
        }
    }
}

/// The owner's rules say who may discover a map, the operator's what may be done to it: who may discover it is told.
#[tokio::test]
async fn a_rule_denies_what_it_names() {
    let bench = Bench::new().await;
    let id = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let other = bench.map(VS1, json!({ "visibility": "UNIVERSAL" })).await;
    let private = bench.map(VS1, Value::Null).await;
    let absent = bench.send(ask(VS2, "GET", bench.at(4_000_000_000))).await.seen();
    let (one, path) = (id.to_string(), format!("spatial-maps/{id}"));
    let over = json!({ "startTime": "2020-01-01T00:00:00Z", "stopTime": "2021-01-01T00:00:00Z" });
    let (told, found, part) = (Some("DENIED"), None, Some("ABSENT"));
    type Row<'r> = (&'r str, Value, Option<&'r str>, Option<&'r str>);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 14] = [
        //                                                                                 GET    discovery
        ("everything, of one map",    json!({ "resources": [one] }),                       told,  part),
        ("the same, by its path",     json!({ "resources": [path] }),                      told,  part),
        ("discovery of one map",      json!({ "resources": [one], "actions": ["discover"] }), found, part),
        ("discovery",                 json!({ "actions": ["discover"] }),                  found, told),
        ("everything",                json!({}),                                           told,  told),
        ("reading",                   json!({ "actions": ["read"] }),                      told,  told),
        ("the scope",                 json!({ "actions": ["3gpp:seal:sm.read"] }),         told,  told),
        ("the client",                json!({ "subjects": ["vs-2"] }),                     told,  told),
        ("another client",            json!({ "subjects": ["vs-3"] }),                     found, found),
        ("writing",                   json!({ "actions": ["write", "update"] }),           found, found),
        ("the VAL service",           json!({ "services": ["val-service-1"] }),            told,  part),
        ("another VAL service",       json!({ "services": ["tour"] }),                     found, found),
        ("a list of others",          json!({ "effect": "PERMIT", "subjects": ["vs-3"], "resources": [one] }), told, part),
        ("in another time",           json!({ "period": over }),                           found, found),
    ];
    for (class, reason) in [("operator", Reason::OperatorRule), ("regulatory", Reason::RegulatoryRule)] {
        let told_of = (403, Some(reason), "UNAUTHORIZED_OPERATION".to_owned());
        for (what, rule, read, discovery) in rows.clone() {
            bench.rule("r", class, rule).await;
            let what = format!("{class}: {what}");
            let answer = bench.send(ask(VS2, "GET", bench.at(id))).await;
            match read {
                None => assert_eq!(answer.status, 200, "{what}"),
                Some(_) => assert_eq!(answer.refused(), told_of, "{what}"),
            }
            let answer = bench.send(ask(VS2, "GET", DISC)).await;
            match discovery {
                Some("DENIED") => assert_eq!(answer.refused(), told_of, "{what}"),
                left_out => {
                    let found = answer.json()["mapsDisc"].to_string();
                    assert_eq!(found.contains(&one), left_out.is_none(), "{what}: {found}");
                    let named = what.ends_with("VAL service") && left_out.is_some();
                    assert_eq!(found.contains(&other.to_string()), !named, "{what}: {found}");
                }
            }
            // A rule tells nobody of a map that the owner's rules hide.
            assert_eq!(bench.send(ask(VS2, "GET", bench.at(private))).await.seen(), absent, "{what}");
        }
    }
    // The whole of a VAL service, asked for by its name.
    bench.rule("r", "operator", json!({ "services": ["val-service-1"] })).await;
    let named = bench.send(ask(VS2, "GET", format!("{DISC}?app-svc-id=val-service-1"))).await;
    assert_eq!((named.status, named.reason), (403, Some(Reason::OperatorRule)));
    // The owner is told as well.
    bench.rule("r", "operator", json!({ "subjects": ["vs-1"], "actions": ["update"] })).await;
    let denied = bench.send(ask(VS1, "PATCH", bench.at(id)).json(&json!({}))).await;
    assert_eq!((denied.status, denied.reason), (403, Some(Reason::OperatorRule)));
    assert_eq!(bench.send(ask(VS1, "GET", bench.at(id))).await.status, 200);
    // Nor does a map reach by a change the VAL service in which it could not be created.
    bench.rule("r", "operator", json!({ "subjects": ["vs-1"], "services": ["val-service-9"] })).await;
    let mut moved = bench.send(ask(VS1, "GET", bench.at(id))).await.json();
    moved["svcId"] = json!("val-service-9");
    for (method, body) in [("PUT", moved), ("PATCH", json!({ "svcId": "val-service-9" }))] {
        let denied = bench.send(ask(VS1, method, bench.at(id)).json(&body)).await;
        assert_eq!((denied.status, denied.reason), (403, Some(Reason::OperatorRule)), "{method}");
    }
    assert_eq!(bench.send(ask(VS1, "GET", bench.at(id))).await.json()["svcId"], "val-service-1");
}

#[tokio::test]
async fn a_path_that_is_no_identifier_names_nothing() {
    let bench = Bench::new().await;
    let (absent, malformed) = ((404, "RESOURCE_NOT_FOUND"), (400, "INVALID_MSG_FORMAT"));
    for (id, (status, cause)) in [
        ("017", absent),
        ("-1", absent),
        ("4294967296", absent),
        ("a%20b", absent),
        ("x", absent),
        ("%ff", malformed),
    ] {
        for path in [format!("{MAPS}/{id}"), format!("{MAPS}/{id}/content")] {
            let answer = bench.send(ask(VS1, "GET", &path)).await;
            assert_eq!((answer.status, answer.json()["cause"].as_str()), (status, Some(cause)), "{path}");
        }
    }
}
