use super::*;

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

#[test]
fn sets_are_read_strictly() {
    assert_eq!(set("b a b").to_string(), "a b");
    assert!(set("").is_empty());
    let long = "a".repeat(MAX_SCOPE + 1);
    let many = (0..=MAX_SCOPES).map(|n| n.to_string()).collect::<Vec<_>>().join(" ");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("two blanks", "a  b"), ("leading blank", " a"), ("trailing blank", "a "), ("tab", "a\tb"),
        ("star", "*"), ("quote", "a\"b"), ("not ASCII", "ä"), ("too long", &long), ("too many", &many), ("NUL", "a\0"),
        ("comma", "a,b"), ("semicolon", "a;b"), ("hash", "a#b"), ("CAPIF scope behind another text", "x3gpp#aef:api"), ("CAPIF scope in capitals", "3GPP#aef:api"),
        ("star in a CAPIF scope", "3gpp#aef:*"), ("slash in a CAPIF scope", "3gpp#aef:a/b"),
    ];
    for (what, text) in rows {
        assert_eq!(ScopeSet::parse(text), Err(Reason::ScopeUnknown), "{what}");
    }
    assert!(ScopeSet::parse(&"a".repeat(MAX_SCOPE)).is_ok());
    assert!(ScopeSet::parse(&(0..MAX_SCOPES).map(|n| n.to_string()).collect::<Vec<_>>().join(" ")).is_ok());
}

#[test]
fn the_bare_name_opens_its_row_and_nothing_else() {
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("3gpp:seal:san.read", "3gpp:seal:san.read", true), ("3gpp:seal:san", "3gpp:seal:san.discover", true),
        ("3gpp:seal:da", "3gpp:seal:da.media.read", true), ("3gpp:seal:san", "3gpp:seal:san", true),
        ("3gpp:seal:san.read", "3gpp:seal:san.write", false), ("3gpp:seal:san.read", "3gpp:seal:san", false),
        ("3gpp:seal:sm", "3gpp:seal:san.read", false), ("3gpp:seal:s", "3gpp:seal:sm.read", false),
        ("3gpp:seal:skm", "3gpp:seal:skm.provision", false), ("3gpp:seal:skm", "3gpp:seal:skm", true),
        ("3gpp:seal:da.media", "3gpp:seal:da.media.read", false), ("3gpp:val:a", "3gpp:val:a.b", false),
        ("3GPP:seal:san", "3gpp:seal:san.read", false), ("openid", "3gpp:seal:san.read", false),
    ];
    for (held, needed, open) in rows {
        assert_eq!(set(held).covers(needed), open, "{held} -> {needed}");
        assert_eq!(check(&set(held), &[needed]), if open { Ok(()) } else { Err(Reason::ScopeNarrow) });
        assert_eq!(set(needed).is_subset_of(&set(held)), open, "{needed} within {held}");
    }
    assert_eq!(check(&set("3gpp:seal:san.read"), &[]), Err(Reason::ScopeNarrow));
    assert!(check(&set("a"), &["b", "a"]).is_ok());
    assert_eq!(
        set("3gpp:seal:san.read 3gpp:seal:sm.read").within(&set("3gpp:seal:san")),
        set("3gpp:seal:san.read")
    );
}

#[test]
fn every_operation_of_the_contract_has_its_scope() {
    let catalogue = Catalogue::new();
    for (scope, role) in [
        ("san.read", "san"),
        ("san.write", "san"),
        ("san.discover", "san"),
        ("san", "san"),
        ("sm.read", "sm"),
        ("sm.write", "sm"),
        ("sm.localize", "sm"),
        ("sm", "sm"),
        ("da.profile.read", "da"),
        ("da", "da"),
        ("da.profile.write", "da"),
        ("da.media.read", "da"),
        ("da.media.write", "da"),
        ("skm", "skm"),
        ("skm.provision", "skm"),
    ] {
        let scope = format!("{SEAL}{scope}");
        assert_eq!(catalogue.target(&scope), Ok(Target::Role(role)), "{scope}");
        assert!(catalogue.names(None).any(|name| name == scope), "{scope}");
    }
    assert_eq!(catalogue.names(Some("sm")).count(), 4);
}

#[test]
fn one_token_has_one_server() {
    let mut catalogue = Catalogue::new();
    catalogue.add_service("san", ["3gpp:seal:obj.find"]).unwrap();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("one", "3gpp:seal:san.read", Ok(Target::Role("san"))), ("login", "openid", Ok(Target::Identity)),
        ("login with one", "3gpp:seal:sm openid", Ok(Target::Role("sm"))),
        ("two of one", "3gpp:seal:san.read 3gpp:seal:san.write", Ok(Target::Role("san"))),
        ("added, same server", "3gpp:seal:obj.find 3gpp:seal:san.read", Ok(Target::Role("san"))),
        ("a VAL service", "3gpp:val:tour openid", Ok(Target::ValService("tour"))),
        ("two servers", "3gpp:seal:san.read 3gpp:seal:sm.read", Err(Reason::TargetWrong)),
        ("two VAL services", "3gpp:val:a 3gpp:val:b", Err(Reason::TargetWrong)),
        ("server and VAL service", "3gpp:seal:san 3gpp:val:b", Err(Reason::TargetWrong)),
        ("nothing", "", Err(Reason::TargetWrong)),
        ("unknown", "3gpp:seal:xyz", Err(Reason::ScopeUnknown)), ("wildcard-like", "3gpp:seal:", Err(Reason::ScopeUnknown)),
        ("unknown of a known row", "3gpp:seal:san.admin", Err(Reason::ScopeUnknown)),
        ("VAL service without name", "3gpp:val:", Err(Reason::ScopeUnknown)), ("offline", "offline_access", Err(Reason::ScopeUnknown)),
    ];
    for (what, scopes, expected) in rows {
        assert_eq!(catalogue.single_target(&set(scopes)), expected, "{what}");
    }
    let both = set("openid 3gpp:seal:san.read 3gpp:seal:sm.read");
    assert!(catalogue.check_known(&both).is_ok());
    assert_eq!(catalogue.of_target(&both, Target::Role("sm")), set("3gpp:seal:sm.read"));
}

#[test]
fn a_service_is_data() {
    let mut catalogue = Catalogue::new();
    assert_eq!(catalogue.target("3gpp:seal:obj.find"), Err(Reason::ScopeUnknown));
    assert_eq!(
        catalogue.add_service("san", ["3gpp:seal:obj.find", "3gpp:seal:sm.read"]),
        Err(Reason::IdTaken)
    );
    assert_eq!(catalogue.target("3gpp:seal:obj.find"), Err(Reason::ScopeUnknown), "nothing was added");
    catalogue.add_service("san", ["3gpp:seal:obj.find", "3gpp:seal:san.read", "3gpp:seal:san.see"]).unwrap();
    assert_eq!(catalogue.target("3gpp:seal:obj.find"), Ok(Target::Role("san")));
    let capif = "3gpp#aef1:ssan-sanm,ssan-disc;aef2:ssm-smm";
    assert_eq!(
        catalogue.add_service("san", [capif]),
        Err(Reason::ScopeUnknown),
        "nobody adds what a CCF grants"
    );
    for taken in ["openid", "3gpp:val:x", "3gpp:seal:skm", "3gpp:seal:obj.find"] {
        assert_eq!(catalogue.add_service("sm", [taken]), Err(Reason::IdTaken), "{taken}");
    }
    assert_eq!(catalogue.add_service("sm", ["*"]), Err(Reason::ScopeUnknown));
    assert_eq!(
        catalogue.expand(&set("openid 3gpp:seal:san")).to_string(),
        "3gpp:seal:san.discover 3gpp:seal:san.read 3gpp:seal:san.see 3gpp:seal:san.write openid"
    );
}

#[test]
fn a_scope_of_capif_is_read_and_known_to_no_server() {
    let capif = "3gpp#aef1:ssan-sanm,ssan-disc;aef2:ssm-smm";
    let scopes = set(&format!("{capif} 3gpp:seal:san.read"));
    assert!(scopes.contains(capif));
    assert_eq!(set(&scopes.to_string()), scopes);
    let catalogue = Catalogue::new();
    assert_eq!(catalogue.target(capif), Err(Reason::ScopeUnknown));
    assert_eq!(catalogue.check_known(&scopes), Err(Reason::ScopeUnknown));
    assert_eq!(catalogue.single_target(&set(capif)), Err(Reason::ScopeUnknown));
    for narrower in ["3gpp#aef1:ssan-sanm", "3gpp#aef2:ssm-smm", "3gpp:seal:sm.read"] {
        assert!(!set(capif).covers(narrower), "{narrower}: only the grammar of TS 29.222 takes it apart");
    }
}
