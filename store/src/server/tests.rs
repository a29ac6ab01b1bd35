use super::*;

fn settings() -> Settings {
    Settings {
        product: "redis",
        version: "7.0.15".to_owned(),
        compatible: (7, 0),
        policy: "noeviction".to_owned(),
        append_only: true,
        append_fsync: Some("everysec".to_owned()),
        snapshots: Some(true),
        replicas: 1,
        ..Settings::default()
    }
}

fn single(settings: Settings) -> Server {
    Server::of(Topology::Single, vec![settings])
}

fn lines(server: &Server, durability: &str) -> String {
    server.losses(durability.parse().unwrap()).join("\n")
}

#[test]
fn good_settings_are_neither_refused_nor_warned_about() {
    let server = single(settings());
    assert_eq!(
        (
            server.misconfigured(Eviction::Refused).len(),
            server.warnings.len()
        ),
        (0, 0)
    );
    assert_eq!(server.version, "redis 7.0.15");
}

#[test]
fn an_old_server_and_one_that_evicts_are_refused_by_their_addresses() {
    let old = Settings {
        version: "6.2.14".to_owned(),
        compatible: (6, 2),
        ..settings()
    };
    assert!(single(old).refusals[0].contains("redis 6.2.14 is too old: 7.0 or later"));
    let evicts = Settings {
        node: "h:2".to_owned(),
        policy: "allkeys-lru".to_owned(),
        ..settings()
    };
    let server = Server::of(Topology::Cluster, vec![settings(), evicts]);
    assert_eq!(server.misconfigured(Eviction::Refused).len(), 1);
    assert!(server.misconfigured(Eviction::Tolerated).is_empty());
    assert!(
        server.evictions[0].contains("redis at h:2 evicts keys (maxmemory-policy allkeys-lru)")
    );
}

#[test]
fn what_loses_more_than_a_second_is_warned_about() {
    let off = single(Settings {
        append_only: false,
        ..settings()
    });
    assert!(off.warnings[0].contains("appendonly is off"));
    let hidden = single(Settings {
        append_fsync: None,
        ..settings()
    });
    assert!(hidden.warnings[0].contains("`CONFIG GET` is not allowed"));
    let never = single(Settings {
        append_fsync: Some("no".to_owned()),
        ..settings()
    });
    assert!(never.warnings[0].contains("appendfsync is no"));
}

#[test]
fn the_losses_follow_from_settings_and_mode() {
    let server = single(settings());
    let text = lines(&server, "async");
    assert!(text.contains("a killed redis loses nothing"), "{text}");
    assert!(text.contains("machine loses up to about 1 s"), "{text}");
    assert!(
        text.contains("a failover loses what the promoted replica"),
        "{text}"
    );
    let text = lines(&server, "replicated(2)");
    assert!(text.contains("one of the 2 replicas that had it"), "{text}");
    let text = lines(&server, "fsynced");
    assert!(
        text.contains("machine loses nothing that was confirmed"),
        "{text}"
    );
    let off = single(Settings {
        append_only: false,
        replicas: 0,
        ..settings()
    });
    let text = lines(&off, "async");
    assert!(
        text.contains("a killed redis loses everything since"),
        "{text}"
    );
    assert!(text.contains("there is no replica"), "{text}");
}

/// One failure of it, and what it is said to lose.
fn said(server: &Server, durability: &str, failure: &str) -> String {
    let text = lines(server, durability);
    let mut lines = text.lines().map(str::trim);
    lines
        .find_map(|line| line.strip_prefix(failure))
        .unwrap_or_else(|| panic!("{failure}: {text}"))
        .trim()
        .to_owned()
}

#[test]
fn each_combination_of_settings_has_its_own_words() {
    const SNAPSHOT: &str = "everything since the last snapshot";
    const ALL: &str = "everything: it keeps no append-only file and makes no snapshots";
    const EITHER: &str = "everything since the last snapshot, or all where it makes none";
    const SECOND: &str = "up to about 1 s of what was confirmed";
    const HALF_A_MINUTE: &str = "what the system had not written yet, up to half a minute";
    // appendonly, appendfsync, save; what a kill and a power loss take.
    let rows = [
        (true, Some("always"), Some(true), "nothing", "nothing"),
        (true, Some("always"), Some(false), "nothing", "nothing"),
        (true, Some("everysec"), Some(true), "nothing", SECOND),
        (true, Some("everysec"), Some(false), "nothing", SECOND),
        (true, Some("no"), Some(true), "nothing", HALF_A_MINUTE),
        (true, Some("no"), Some(false), "nothing", HALF_A_MINUTE),
        (true, None, None, "nothing", SECOND),
        (false, Some("always"), Some(true), SNAPSHOT, SNAPSHOT),
        (false, Some("always"), Some(false), ALL, ALL),
        (false, Some("everysec"), Some(true), SNAPSHOT, SNAPSHOT),
        (false, Some("everysec"), Some(false), ALL, ALL),
        (false, Some("no"), Some(true), SNAPSHOT, SNAPSHOT),
        (false, Some("no"), Some(false), ALL, ALL),
        (false, None, None, EITHER, EITHER),
    ];
    for (append_only, fsync, snapshots, kill, power) in rows {
        for replicas in [0, 2] {
            let server = single(Settings {
                append_only,
                append_fsync: fsync.map(ToOwned::to_owned),
                snapshots,
                replicas,
                ..settings()
            });
            let row = format!("{append_only} {fsync:?} {snapshots:?} {replicas}");
            assert_eq!(
                said(&server, "async", "a killed redis loses"),
                kill,
                "{row}"
            );
            let lost = said(&server, "async", "a power loss of its machine loses");
            assert_eq!(lost, power, "{row}");
            let failover = match replicas {
                0 => "no failover is possible: there is no replica",
                _ => {
                    "a failover loses what the promoted replica had not received, mostly milliseconds"
                }
            };
            let text = lines(&server, "async");
            assert!(text.lines().any(|line| line.trim() == failover), "{text}");
            assert_eq!(
                server.durability(),
                format!("a killed redis loses {kill}; a power loss loses {power}; {failover}")
            );
            let loses_all = server
                .warnings
                .iter()
                .any(|w| w.contains("loses everything"));
            assert_eq!(loses_all, kill == ALL, "{row}: {:?}", server.warnings);
        }
    }
}

#[test]
fn what_a_failover_loses_is_said_of_the_primaries_that_have_replicas() {
    let lone = || Settings {
        replicas: 0,
        ..settings()
    };
    let of = |topology, nodes: [Settings; 2]| {
        lines(&Server::of(topology, nodes.to_vec()), "replicated(1)")
    };
    let none = "no failover is possible: there is no replica";
    for topology in [Topology::Sentinel, Topology::Cluster] {
        assert!(of(topology, [lone(), lone()]).contains(none));
    }
    let some = of(Topology::Cluster, [lone(), settings()]);
    let words = "is promoted; a primary without a replica has none";
    assert!(some.contains(words), "{some}");
    let both = of(Topology::Cluster, [settings(), settings()]);
    assert!(both.contains("that had it is promoted\n"), "{both}");
}

#[test]
fn the_weakest_primary_decides() {
    let always = Settings {
        append_fsync: Some("always".to_owned()),
        ..settings()
    };
    let cluster = |second: Settings| Server::of(Topology::Cluster, vec![always.clone(), second]);
    assert_eq!(cluster(always.clone()).fsync(), Fsync::Always);
    assert!(lines(&cluster(settings()), "async").contains("up to about 1 s"));
    assert_eq!(cluster(settings()).fsync(), Fsync::Never);
    let newer = Settings {
        compatible: (7, 2),
        ..settings()
    };
    assert_eq!(cluster(newer.clone()).fsync(), Fsync::OnRequest);
    let memory_only = Settings {
        append_only: false,
        ..newer
    };
    assert_eq!(cluster(memory_only).fsync(), Fsync::Never);
}

#[test]
fn a_promise_that_cannot_be_kept_is_named() {
    let server = single(settings());
    let broken = |durability: &str| server.cannot_keep(durability.parse().unwrap());
    assert_eq!(broken("async"), None);
    assert_eq!(broken("replicated(1)"), None);
    assert!(
        broken("replicated(2)")
            .unwrap()
            .contains("a primary has 1 replicas")
    );
    assert!(broken("fsynced").unwrap().contains("WAITAOF"));
}
