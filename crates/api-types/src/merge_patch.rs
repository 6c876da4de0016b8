//! JSON merge patch (RFC 7396).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::InvalidParam;
use crate::strict_json;

/// Applies `patch` to `target` (RFC 7396 2).
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else { return };
    for (name, value) in members {
        if value.is_null() {
            object.remove(name);
        } else {
            apply(object.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// What `patch` makes of `current`; members that are not among `members` are ignored.
///
/// # Errors
/// The patch is no object, or makes no `T`.
pub fn patched<T: Serialize + DeserializeOwned>(
    current: &T,
    patch: &Value,
    members: &[&str],
) -> Result<T, Vec<InvalidParam>> {
    let Value::Object(patch) = patch else { return Err(vec![InvalidParam::new("", "is not an object")]) };
    let mut patch = patch.clone();
    patch.retain(|name, _| members.contains(&name.as_str()));
    let mut value =
        serde_json::to_value(current).map_err(|_| vec![InvalidParam::new("", "cannot be changed")])?;
    apply(&mut value, &Value::Object(patch));
    strict_json::from_value(value).map_err(|error| error.invalid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// The cases of RFC 7396 Appendix A: original, patch, result.
    #[test]
    fn the_cases_of_the_rfc() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(Value, Value, Value); 15] = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a","b"]), json!(["c","d"]), json!(["c","d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1,2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (original, patch, result) in rows {
            let mut target = original.clone();
            apply(&mut target, &patch);
            assert_eq!(target, result, "{original} with {patch}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn twice_is_once(original in any_json(), patch in any_json()) {
            let mut once = original;
            apply(&mut once, &patch);
            let mut twice = once.clone();
            apply(&mut twice, &patch);
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn an_empty_patch_changes_no_object(original in any_json().prop_filter("object", Value::is_object)) {
            let mut patched = original.clone();
            apply(&mut patched, &json!({}));
            prop_assert_eq!(patched, original);
        }
    }
}
