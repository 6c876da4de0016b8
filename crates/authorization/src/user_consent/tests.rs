use std::collections::BTreeMap;

use api_types::nudm_sdm::UserConsent;
use api_types::san::PersonalDataCategory as Category;

use super::AtUdm::{Absent, Given, NotGiven, Unreachable};
use super::Permission::{Granted, None as Ungranted};
use super::*;

type Decided = Result<(), Reason>;

const OK: Decided = Ok(());
const UDM: Decided = Err(Reason::ConsentUdm);
const OWNER: Decided = Err(Reason::ConsentOwner);
const DOWN: Decided = Err(Reason::DependencyDown);

/// Every mode × state × permission; `or_when_unreachable` off and on changes one cell.
#[test]
fn the_whole_table() {
    #[rustfmt::skip] // a table stays a table
    let rows: [(AtUdm, Permission, [Decided; 5]); 8] = [
        //                         rnaa   udm   sim    and    or
        (Given,       Granted,   [OK,    OK,   OK,    OK,    OK]),
        (Given,       Ungranted, [OWNER, OK,   OWNER, OWNER, OK]),
        (NotGiven,    Granted,   [UDM,   UDM,  UDM,   UDM,   UDM]),
        (NotGiven,    Ungranted, [UDM,   UDM,  UDM,   UDM,   UDM]),
        (Absent,      Granted,   [OK,    UDM,  OK,    UDM,   OK]),
        (Absent,      Ungranted, [OWNER, UDM,  OWNER, UDM,   UDM]),
        (Unreachable, Granted,   [OK,    DOWN, OK,    DOWN,  DOWN]),
        (Unreachable, Ungranted, [OWNER, DOWN, OWNER, DOWN,  DOWN]),
    ];
    for (at_udm, permission, expected) in rows {
        for (mode, expected) in Mode::ALL.into_iter().zip(expected) {
            for or_when_unreachable in [false, true] {
                let changed = or_when_unreachable
                    && (mode, at_udm, permission) == (Mode::UdmOrRnaa, Unreachable, Granted);
                let expected = if changed { OK } else { expected };
                let rules = Rules { mode, or_when_unreachable };
                assert_eq!(
                    decide(rules, at_udm, permission),
                    expected,
                    "{rules:?} {at_udm:?} {permission:?}"
                );
            }
        }
    }
}

fn data(said: &[(&str, &str)]) -> UcSubscriptionData {
    let list: BTreeMap<UcPurpose, UserConsent> =
        said.iter().map(|(purpose, consent)| ((*purpose).into(), (*consent).into())).collect();
    UcSubscriptionData { user_consent_per_purpose_list: Some(list) }
}

#[test]
fn a_generic_purpose_is_consent_only_where_it_is_configured() {
    const YES: &str = "CONSENT_GIVEN";
    const NO: &str = "CONSENT_NOT_GIVEN";
    const OF_LOCATION: &str = "METAVERSE_LOCATION";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, UcSubscriptionData, AtUdm, AtUdm); 9] = [
        //                                                                              exact only, generic counts
        ("yes",                   data(&[(OF_LOCATION, YES)]),                          Given,    Given),
        ("no",                    data(&[(OF_LOCATION, NO)]),                           NotGiven, NotGiven),
        ("not understood",        data(&[(OF_LOCATION, "PERHAPS")]),                    NotGiven, NotGiven),
        ("generic alone",         data(&[("NW_CAP_EXPOSURE", YES)]),                    Absent,   Given),
        ("generic refused",       data(&[("NW_CAP_EXPOSURE", NO)]),                     Absent,   NotGiven),
        ("no beside generic yes", data(&[(OF_LOCATION, NO), ("NW_CAP_EXPOSURE", YES)]), NotGiven, NotGiven),
        ("yes beside generic no", data(&[(OF_LOCATION, YES), ("NW_CAP_EXPOSURE", NO)]), Given,    Given),
        ("another purpose",       data(&[("METAVERSE_IDENTITY", YES)]),                 Absent,   Absent),
        ("nothing",               UcSubscriptionData::default(),                        Absent,   Absent),
    ];
    for (what, data, exact, generic) in rows {
        let purpose = UcPurpose::from(OF_LOCATION);
        assert_eq!((about(&data, &purpose, false), about(&data, &purpose, true)), (exact, generic), "{what}");
    }
}

#[test]
fn an_item_is_covered_when_all_that_it_needs_is_consented_to() {
    use Unregistered::{Exclude, Include};
    let consented =
        |purpose: &UcPurpose| ["METAVERSE_LOCATION", "METAVERSE_BODY_MOVEMENT"].contains(&purpose.as_str());
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<&[Category]>, Unregistered, bool); 7] = [
        ("needs nothing",         Some(&[]),                                           Exclude, true),
        ("one of them",           Some(&[Category::Location]),                         Exclude, true),
        ("both",                  Some(&[Category::BodyMovement, Category::Location]), Exclude, true),
        ("one more",              Some(&[Category::Location, Category::Identity]),     Include, false),
        ("another",               Some(&[Category::AvatarProfile]),                    Include, false),
        ("never said",            None,                                                Include, true),
        ("never said, excluded",  None,                                                Exclude, false),
    ];
    for (what, required, unregistered, covered) in rows {
        assert_eq!(covers(required, unregistered, consented), covered, "{what}");
    }
    let all: Vec<_> = purposes(Category::ALL).map(|purpose| purpose.as_str().to_owned()).collect();
    assert_eq!(
        all,
        [
            "METAVERSE_IDENTITY",
            "METAVERSE_LOCATION",
            "METAVERSE_BODY_MOVEMENT",
            "METAVERSE_OWNERSHIP",
            "METAVERSE_AUTHENTICATION_RESULT",
            "METAVERSE_AVATAR_PROFILE"
        ]
    );
}

#[test]
fn modes_read_back() {
    for mode in Mode::ALL {
        assert_eq!(Mode::parse(mode.as_str()), Some(mode));
    }
    assert_eq!(Mode::parse("both"), None);
}
