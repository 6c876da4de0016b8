//! Answers to hidden and absent objects, for whoever may not see them, are the same bytes (N-PRIV).

use sdk::Request;
use serde_json::{Value, json};

use crate::harness::{Program, Site, parsed, val_server_list, val_server_map};

#[tokio::test(flavor = "multi_thread")]
async fn hidden_and_absent_are_one_answer() {
    let program = Program::demo();
    let site = Site::of(&program);
    let owner = site.san("vs-2", "3gpp:seal:san").await;
    let mut body = val_server_list("campus-navigation", "hidden");
    body["anchors"].as_object_mut().expect("anchors").remove("open");
    let hidden = owner.create_list(&parsed(body)).await.expect("created").id;
    let maps = site.sm("vs-2", "3gpp:seal:sm").await;
    let mut body = val_server_map("campus-navigation", "hidden");
    body["mapInf"]["allwEnt"] =
        json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-2" }] });
    let map = maps.create_map(&parsed(body)).await.expect("created").id();
    let stranger = site.san("vs-3", "3gpp:seal:san").await;
    let other = site.sm("vs-3", "3gpp:seal:sm").await;
    let list = |id: &str| site.path("san", &format!("/ssan-sanm/v1/anchors-lists/{id}"));
    let absent_map = if map.0 == 77 { 78 } else { 77 };
    let patch = json!({ "suppFeat": "1" });
    for (what, hidden_url, absent_url, is_map) in [
        ("a list", list(hidden.as_str()), list("no-such-list"), false),
        (
            "a map",
            site.path("sm", &format!("/ssm-smm/v1/spatial-maps/{map}")),
            site.path("sm", &format!("/ssm-smm/v1/spatial-maps/{absent_map}")),
            true,
        ),
        (
            "a payload",
            site.path("sm", &format!("/ssm-smm/v1/spatial-maps/{map}/content")),
            site.path("sm", &format!("/ssm-smm/v1/spatial-maps/{absent_map}/content")),
            true,
        ),
    ] {
        let ask = async |url: &url::Url, method: &http::Method| {
            let mut request = Request::new(method.clone(), url.clone());
            if *method == http::Method::PATCH {
                request = request.json_as("application/merge-patch+json", &patch);
            }
            let answer = if is_map { other.send(request).await } else { stranger.send(request).await }
                .expect("an answer");
            let mut headers: Vec<(String, Value)> = answer
                .headers
                .iter()
                .filter(|(name, _)| !["traceparent", "date"].contains(&name.as_str()))
                .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
                .collect();
            headers.sort_by(|a, b| a.0.cmp(&b.0));
            (answer.status, headers, answer.body)
        };
        let methods: &[http::Method] = match what {
            "a payload" => &[http::Method::GET, http::Method::HEAD],
            _ => &[http::Method::GET, http::Method::PATCH, http::Method::DELETE],
        };
        for method in methods {
            let (hidden, absent) = (ask(&hidden_url, method).await, ask(&absent_url, method).await);
            assert_eq!(hidden, absent, "{method} {what}");
            assert_eq!(hidden.0, 404, "{method} {what}");
        }
    }
    assert!(owner.list(&hidden, true).await.is_ok() && maps.map(map, true).await.is_ok(), "they are there");
}
