//! One SQL text, the same values on both engines.

use store::{Dialect, StoreError, Value, params};

use crate::bench::{Bench, write};

on_both!(values_come_back_as_they_went, parameters_are_numbered, statements_are_portable, many_rows_at_once);

async fn values_come_back_as_they_went(bench: Bench) {
    let store = bench.open().await;
    assert_eq!(store.dialect() == Dialect::Sqlite, bench.is_sqlite());
    let rows = vec![
        params![1_i64, i64::MAX, 0.1, "Grüße 😀", b"\0\xff".as_slice()].to_vec(),
        params![2_i64, i64::MIN, -1e300, "", b"".as_slice()].to_vec(),
        params![3_i64, true, 2_i64, "1", vec![0_u8; 100_000]].to_vec(),
        params![4_i64, None::<i64>, None::<f64>, None::<&str>, None::<Vec<u8>>].to_vec(),
    ];
    let insert = rows.clone();
    write(&store, move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO kinds (id, i, r, t, b) VALUES ($1, $2, $3, $4, $5)";
            tx.execute_many(sql, &insert).await
        })
    })
    .await
    .unwrap();
    let found = store
        .read(|sql| {
            Box::pin(async move { sql.query("SELECT id, i, r, t, b FROM kinds ORDER BY id", &[]).await })
        })
        .await
        .unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, given) in found.iter().zip(&rows) {
        for (i, value) in given.iter().enumerate() {
            // A whole number in a REAL column comes back as a real.
            let expected = match (i, value) {
                (2, Value::Int(int)) => Value::Real(*int as f64),
                (_, value) => value.clone(),
            };
            assert!(found.get::<Value>(i).unwrap() == expected, "column {i}");
        }
    }
    assert_eq!(found[2].get::<bool>(1), Ok(true));
    assert_eq!(found[3].get::<Option<String>>(3), Ok(None));
    assert!(matches!(found[3].get::<String>(3), Err(StoreError::ColumnKind { .. })));
    assert!(matches!(found[3].get::<String>(5), Err(StoreError::NoSuchColumn { index: 5 })));
}

async fn parameters_are_numbered(bench: Bench) {
    let store = bench.open().await;
    let swapped = store.read(|sql| {
        Box::pin(async move {
            let sql_text = "SELECT CAST($2 AS TEXT), CAST($1 AS BIGINT), CAST($2 AS TEXT)";
            let row = sql.query_one(sql_text, &params![7_i64, "x"]).await?;
            Ok((row.get::<String>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?))
        })
    });
    assert_eq!(swapped.await, Ok(("x".to_owned(), 7, "x".to_owned())));
    for given in [0, 2] {
        let wrong = store.read(move |sql| {
            Box::pin(async move {
                let params = vec![Value::Int(1); given];
                sql.query("SELECT id FROM note WHERE id = $1", &params).await
            })
        });
        assert_eq!(wrong.await, Err(StoreError::Parameters { wanted: 1, given }));
    }
}

async fn statements_are_portable(bench: Bench) {
    let store = bench.open().await;
    let run = write(&store, |tx| {
        Box::pin(async move {
            let upsert = "INSERT INTO note (id, body) VALUES ($1, $2) \
                          ON CONFLICT (id) DO UPDATE SET body = excluded.body RETURNING body";
            let first: String = tx.query_one(upsert, &params![1_i64, "a"]).await?.get(0)?;
            let second: String = tx.query_one(upsert, &params![1_i64, "b"]).await?.get(0)?;
            let third = tx.execute(upsert, &params![2_i64, "c"]).await?;
            let ignored = tx
                .execute("INSERT INTO note (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", &params![1_i64])
                .await?;
            let locked = tx
                .query(
                    &format!("SELECT id FROM note ORDER BY id LIMIT $1{}", tx.dialect().for_update()),
                    &params![10_i64],
                )
                .await?
                .len();
            let gone =
                tx.query("DELETE FROM note WHERE id IN (SELECT id FROM note) RETURNING id", &[]).await?.len();
            let now: i64 = tx.query_one(&format!("SELECT {}", tx.dialect().now_s()), &[]).await?.get(0)?;
            assert!(now > 1_700_000_000);
            Ok((first, second, third, ignored, locked, gone))
        })
    });
    assert_eq!(run.await, Ok(("a".to_owned(), "b".to_owned(), 1, 0, 2, 2)));
}

async fn many_rows_at_once(bench: Bench) {
    let store = bench.open().await;
    let insert = write(&store, |tx| {
        Box::pin(async move {
            let rows: Vec<_> = (0..1000_i64).map(|id| params![id, format!("note {id}")].to_vec()).collect();
            tx.execute_many("INSERT INTO note (id, body) VALUES ($1, $2)", &rows).await
        })
    });
    assert_eq!(insert.await, Ok(1000));
    let twice = write(&store, |tx| {
        Box::pin(async move {
            let rows: Vec<_> = [2000_i64, 3].iter().map(|id| params![*id, "again"].to_vec()).collect();
            tx.execute_many("INSERT INTO note (id, body) VALUES ($1, $2)", &rows).await
        })
    });
    assert!(matches!(twice.await, Err(StoreError::Constraint(_))));
    assert_eq!(crate::bench::notes(&store).await.len(), 1000);
}
