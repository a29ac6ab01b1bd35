//! The library of functions on servers that lose it, refuse it, or have those of other versions.

use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::Namespace;
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::script::{self, LIBRARY, LIBRARY_PREFIX};
use tickwheel_store::wheel::{NewContext, When};
use tickwheel_store::{Redis, Store};

use crate::harness::{Harness, Server, alone, or_skip, partition};

async fn submit(store: &Store, number: u16) {
    let context = NewContext {
        when: When::Delay(Duration::from_secs(60)),
        rest: Bytes::from_static(b"default work 2 - body"),
        namespace: Namespace::default(),
        uniq: format!("u{number}"),
        dedup: None,
        partition: partition(number),
        placement: None,
    };
    store.submit(&[context]).await.unwrap();
}

/// The names of the libraries of a server.
async fn libraries(test: &Harness) -> Vec<String> {
    let listed = test
        .texts(&["FUNCTION", "LIST", "LIBRARYNAME", "tickwheel_*"])
        .await;
    let words = listed.iter().flat_map(|text| text.split(','));
    let names = words.filter(|word| word.starts_with(LIBRARY_PREFIX));
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.retain(|name| name.len() == LIBRARY.name().len());
    names.sort();
    names.dedup();
    names
}

/// How often a command ran.
async fn calls(test: &Harness, command: &str) -> u64 {
    let stats = test.text(&["INFO", "commandstats"]).await;
    let mark = format!("cmdstat_{command}:calls=");
    let line = stats.lines().find_map(|line| line.strip_prefix(&mark));
    line.and_then(|line| line.split(',').next()?.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn scripts_are_functions_of_a_library_named_by_its_text() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    submit(&test.store, 0).await;
    assert_eq!(calls(&test, "fcall").await, 1);
    assert_eq!(
        calls(&test, "evalsha").await + calls(&test, "eval").await,
        0
    );
    assert!(
        LIBRARY
            .text()
            .starts_with(&format!("#!lua name={}\n", LIBRARY.name()))
    );
    for script in script::all() {
        assert!(
            script.function().starts_with(LIBRARY.name()),
            "{}",
            script.name()
        );
        let registered = format!("function_name = '{}'", script.function());
        assert_eq!(
            LIBRARY.text().matches(&registered).count(),
            1,
            "{}",
            script.name()
        );
    }
}

#[tokio::test]
async fn a_flushed_library_is_loaded_by_who_misses_it() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    test.command(&["FUNCTION", "FLUSH"]).await;
    submit(&test.store, 0).await;
    assert_eq!(calls(&test, "eval").await, 0, "the text is not needed");
    submit(&test.store, 0).await;
    assert_eq!(
        calls(&test, "function|load").await,
        4,
        "once at the start, once for the flush, and each time what people ask beside it"
    );
    let shown = ["FCALL_RO", "tickwheel_partition", "0", "1", &test.prefix];
    assert!(test.text(&shown).await.contains("\"partition\":1"));
}

#[tokio::test]
async fn servers_without_functions_are_called_by_texts() {
    let hidden = [
        "--rename-command",
        "FUNCTION",
        "",
        "--rename-command",
        "FCALL",
        "",
    ];
    let Some(server) = or_skip(Server::start(&hidden)) else {
        return;
    };
    let test = Harness::open(&server.url(), server.port, "tw", 1).await;
    submit(&test.store, 0).await;
    submit(&test.store, 0).await;
    assert_eq!(calls(&test, "evalsha").await, 2);
    // Also when the texts are gone.
    test.command(&["SCRIPT", "FLUSH"]).await;
    submit(&test.store, 0).await;
    assert_eq!(calls(&test, "eval").await, 1);
}

#[tokio::test]
async fn a_user_who_loses_the_right_to_functions_is_called_by_texts() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    submit(&test.store, 0).await;
    test.command(&["ACL", "SETUSER", "default", "-fcall", "-function"])
        .await;
    for _ in 0..3 {
        submit(&test.store, 0).await;
    }
    assert_eq!(calls(&test, "eval").await, 1, "which makes the text known");
    assert_eq!(calls(&test, "evalsha").await, 2);
}

/// Who has to make room on a full server needs its scripts.
#[tokio::test]
async fn a_full_server_without_the_library_is_called_by_texts() {
    let Some((test, server)) = alone().await else {
        return;
    };
    test.command(&["FUNCTION", "FLUSH"]).await;
    test.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let store = Store::attach(redis, &test.prefix).await.unwrap();
    store.look(partition(0)).await.unwrap();
    assert_eq!(calls(&test, "evalsha").await, 1);
    test.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
    store.look(partition(0)).await.unwrap();
    assert_eq!(
        libraries(&test).await,
        [LIBRARY.name()],
        "and has it when there is room"
    );
}

#[tokio::test]
async fn who_may_load_and_not_list_is_called_by_functions() {
    let Some((test, server)) = alone().await else {
        return;
    };
    test.command(&["ACL", "SETUSER", "default", "-function|list"])
        .await;
    let redis = Redis::connect(&server.url()).await.unwrap();
    let store = Store::attach(redis, &test.prefix).await.unwrap();
    store.look(partition(0)).await.unwrap();
    assert_eq!(calls(&test, "fcall").await, 1);
    assert_eq!(calls(&test, "evalsha").await, 0);
}

#[tokio::test]
async fn libraries_of_other_versions_stand_beside_it_and_not_too_many() {
    let Some((test, server)) = alone().await else {
        return;
    };
    let other = |number: u32| {
        let name = format!("{LIBRARY_PREFIX}{number:012}");
        format!("#!lua name={name}\nredis.register_function('{name}_x', function() return 1 end)")
    };
    let open = async || {
        let redis = Redis::connect(&server.url()).await.unwrap();
        Store::open(redis, &test.prefix, PartitionCount::new(1).unwrap())
            .await
            .unwrap()
    };
    for number in 1..=3 {
        test.command(&["FUNCTION", "LOAD", &other(number)]).await;
    }
    open().await;
    assert_eq!(
        libraries(&test).await.len(),
        4,
        "a rolling upgrade keeps both"
    );
    test.command(&["FUNCTION", "LOAD", &other(4)]).await;
    open().await;
    assert_eq!(libraries(&test).await, [LIBRARY.name()]);
    submit(&test.store, 0).await;
}

#[tokio::test]
async fn each_primary_of_a_cluster_gets_what_it_misses() {
    let Some(cluster) = or_skip(Server::cluster()) else {
        return;
    };
    let test = Harness::open(&cluster.url(), cluster.port, "tw", 16).await;
    for url in cluster.urls() {
        let reader = Harness::open_reader(&url).await;
        reader.text(&["FUNCTION", "FLUSH"]).await;
        for number in 0..16 {
            submit(&test.store, number).await;
        }
    }
}

/// The module `bounds` is the first of all, and needs nothing.
#[test]
fn errors_name_file_and_line() {
    let lines = LIBRARY.text().lines();
    let at = lines
        .take_while(|line| *line != "local bounds = {}")
        .count()
        + 1;
    let failed = LIBRARY.locate(&format!(
        "ERR user_function:{at}: no, on @user_function:{at}."
    ));
    assert!(
        failed.starts_with("ERR lua/lib/bounds.lua:3: no"),
        "{failed}"
    );
    let turn = LIBRARY
        .text()
        .lines()
        .position(|line| line.contains("'TURNED'"));
    let failed = LIBRARY.locate(&format!("ERR user_function:{}: no", turn.unwrap() + 1));
    assert!(
        failed.starts_with("ERR lua/lib/turns/written.lua:"),
        "{failed}"
    );
}
