//! What is kept in memory of a list is never older than the store.

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{Answer, VS1, VS2, World, at, list, with};

/// A request that can be sent again, with the same token.
struct Again<'w> {
    world: &'w World,
    first: Request<Body>,
}

impl Again<'_> {
    async fn send(&self) -> Answer {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.first.method().clone();
        *request.uri_mut() = self.first.uri().clone();
        *request.headers_mut() = self.first.headers().clone();
        *request.extensions_mut() = self.first.extensions().clone();
        assert!(request.headers().contains_key(AUTHORIZATION));
        self.world.answer(request).await
    }

    /// Twice from the store or from memory, and the same.
    async fn status(&self) -> u16 {
        let (one, two) = (self.send().await, self.send().await);
        assert_eq!((one.status, &one.bytes), (two.status, &two.bytes));
        one.status
    }
}

fn named(servers: &[&str], more: &Value) -> Value {
    let entity = |id: &&str| json!({ "type": "VAL_SERVER", "identifier": id });
    let mut anchor =
        json!({ "rules": { "allowedEntities": servers.iter().map(entity).collect::<Vec<_>>() } });
    for (name, value) in more.as_object().unwrap() {
        anchor[name] = value.clone();
    }
    list(json!({ "a": at(2.35, 48.85, anchor) }))
}

#[tokio::test]
async fn a_list_from_memory_is_as_it_is_in_the_store() {
    let world = World::new().await;
    let path = world.post(VS1, &named(&["vs-2"], &json!({}))).await.location();
    let path = format!("{path}?supp-feats=1");
    let first = world.request(VS2, Method::GET, &path);
    let theirs = Again { world: &world, first };
    let own = Again { world: &world, first: world.request(VS1, Method::GET, &path) };
    assert_eq!((theirs.status().await, own.status().await), (200, 200));
    assert_eq!(world.san.0.kept.callers(), 2, "both have reached the list in this state of the store");
    // The permits and traces of reads are no change.
    world.san.kit().flush().await;
    assert_eq!(theirs.send().await.status, 200);
    assert_eq!(world.san.0.kept.callers(), 2);

    // Whoever may not see it reaches nothing in memory either.
    let other = Again { world: &world, first: world.request(super::VS3, Method::GET, &path) };
    assert_eq!((other.status().await, world.san.0.kept.callers()), (404, 2));

    // Each change is seen by the very next request.
    let write = async |body: &Value| {
        let before = own.send().await;
        assert_eq!(before.status, 200, "{}", before.json());
        let id = before.json()["anchors"]["a"]["anchorId"].clone();
        let body = with(body.clone(), |list| list["anchors"]["a"]["anchorId"] = id);
        let changed = world.put(VS1, &path, &body).await;
        assert!(matches!(changed.status, 200 | 204), "{}", String::from_utf8_lossy(&changed.bytes));
    };
    write(&named(&["vs-3"], &json!({}))).await;
    assert_eq!((theirs.status().await, other.status().await, own.status().await), (404, 200, 200));
    write(&named(&["vs-2"], &json!({ "name": "door" }))).await;
    assert_eq!((theirs.status().await, other.status().await), (200, 404));
    assert_eq!(theirs.send().await.json()["anchors"]["a"]["name"], "door");

    // A rule of the operator, too; and time, which the store knows nothing of.
    let deny = json!({ "class": "operator", "effect": "DENY", "subjects": ["vs-2"], "actions": ["read"] });
    world.rule("r-1", deny).await;
    assert_eq!((theirs.status().await, own.status().await), (403, 200));
    let permit = json!({ "class": "operator", "effect": "PERMIT" });
    world.rule("r-1", permit).await;
    assert_eq!(theirs.status().await, 200);
    let period = json!({ "startTime": "2027-01-15T08:00:00Z", "stopTime": "2027-01-15T08:00:10Z" });
    write(&named(&["vs-2"], &json!({ "timePeriod": period }))).await;
    assert_eq!(theirs.status().await, 200);
    world.clock.advance(std::time::Duration::from_secs(20));
    world.sim.renew();
    assert_eq!((theirs.send().await.status, own.send().await.status), (404, 200));

    assert_eq!(world.send(VS1, Method::DELETE, &path, None).await.status, 204);
    assert_eq!((theirs.status().await, own.status().await), (404, 404));
}
