//! What a search reads, counted in steps of SQLite's machine: time would tell little on a busy computer.

use futures::FutureExt as _;
use rusqlite::Connection;

use super::{Bounds, Way};
use crate::anchors::{AnchorRow, ClassDef, Filter, ListRow, classes, discovery, ids, lists, records};
use crate::spatial_index::GeoBox;
use crate::sqlite::SqliteSql;
use crate::{Migrations, Sql};

/// Classes that the caller holds, and as many that others hold; each has one anchor.
const CLASSES: u32 = 3_000;

/// SQLite answers at once.
fn block_on<T>(answer: impl Future<Output = T>) -> T {
    answer.now_or_never().expect("no wait")
}

fn database() -> SqliteSql {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::sqlite::migrate(&mut connection, &Migrations::of(api_types::function::Function::San)).unwrap();
    let mut sql = SqliteSql::new(connection);
    let list = ListRow {
        list_id: "l".to_owned(),
        owner_issuer: "i".to_owned(),
        owner_subject: "s".to_owned(),
        owner_name: "s".to_owned(),
        service_id: "guide".to_owned(),
        serv_info: "{}".to_owned(),
        incarnation: 1,
        version: 1,
        created_s: 0,
    };
    block_on(lists::insert(&mut sql, &list)).unwrap();
    for n in 0..2 * CLASSES {
        let holder = if n % 2 == 0 { "mine" } else { "theirs" };
        let def = ClassDef { key: n.to_string(), matches: vec![holder.to_owned()] };
        let class_id = block_on(classes::class_of(&mut sql, &def, &[n + 1])).unwrap();
        let anchor_id = n.wrapping_mul(2_654_435_761) >> 1;
        assert!(block_on(ids::reserve(&mut sql, anchor_id)).unwrap());
        let anchor = AnchorRow {
            anchor_id,
            list_id: "l".to_owned(),
            label: n.to_string(),
            owner_key: "o".to_owned(),
            class_id,
            service_id: "guide".to_owned(),
            incarnation: 1,
            body: "{}".to_owned(),
            spec_hash: None,
            at: Some((f64::from(n / 2) * 0.01, 10.0)),
            start_s: None,
            stop_s: None,
            sync: crate::publications::Sync::Free,
        };
        block_on(records::insert(&mut sql, &[anchor])).unwrap();
    }
    sql
}

fn asked(boxes: Option<GeoBox>, bounds: Bounds) -> Filter {
    Filter {
        held: vec!["mine".to_owned(), "everybody".to_owned()],
        boxes: boxes.map(|area| vec![area]),
        limit: 10,
        bounds,
        ..Filter::default()
    }
}

/// The way that was taken, how many were found, and the steps.
fn run(sql: &mut SqliteSql, filter: &Filter) -> (Way, usize, u64) {
    let way = block_on(filter.search().run(sql, filter)).unwrap().1;
    sql.steps.set(0);
    let found = block_on(discovery::find(sql, filter)).unwrap().found.len();
    (way, found, sql.steps.get())
}

#[test]
fn many_classes_and_little_in_the_area_cost_what_is_in_the_area() {
    let mut sql = database();
    let small = GeoBox { min_lon: 0.0, min_lat: 9.0, max_lon: 0.045, max_lat: 11.0 };
    let (way, found, by_area) = run(&mut sql, &asked(Some(small), Bounds::default()));
    assert_eq!((way, found), (Way::Area, 5));
    let class_first = Bounds { probes: u32::MAX, ..Bounds::default() };
    let (way, found, by_class) = run(&mut sql, &asked(Some(small), class_first));
    assert_eq!((way, found), (Way::Classes, 5));
    // The classes are counted in the first case, and looked for one by one in the second.
    assert!(by_area * 3 < by_class, "{by_area} against {by_class} steps");

    // Much in the area: the classes lead.
    let large = GeoBox { min_lon: -1.0, min_lat: 9.0, max_lon: 60.0, max_lat: 11.0 };
    let cheap = Bounds { entries_per_probe: 1, ..Bounds::default() };
    assert_eq!(run(&mut sql, &asked(Some(large), cheap)).0, Way::Classes);
    // More than may be read at once: in the order of the pages.
    let tight = Bounds { in_boxes: 100, ..cheap };
    assert_eq!(run(&mut sql, &asked(Some(large), tight)).0, Way::Identifiers);
}

#[test]
fn a_page_costs_a_page_however_much_there_is() {
    let mut sql = database();
    let first = run(&mut sql, &asked(None, Bounds::default()));
    assert_eq!((first.0, first.1), (Way::Identifiers, 10));
    // One class with everything: what is read depends on the page and not on the class.
    let all = "update anchor set class_id = 1";
    block_on(sql.execute(all, &[])).unwrap();
    block_on(sql.execute("delete from class_match where class_id <> 1", &[])).unwrap();
    let (_, found, steps) = run(&mut sql, &asked(None, Bounds::default()));
    assert_eq!(found, 10);
    assert!(steps < 3_000, "{steps} steps for ten of {}", 2 * CLASSES);
}
