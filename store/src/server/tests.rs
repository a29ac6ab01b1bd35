use super::*;

fn settings() -> Settings {
    Settings {
        product: "redis",
        version: "7.0.15".to_owned(),
        compatible: (7, 0),
        policy: "noeviction".to_owned(),
        append_only: true,
        append_fsync: Some("everysec".to_owned()),
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
        (server.unfit(Eviction::Refused).len(), server.warnings.len()),
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
    assert_eq!(server.unfit(Eviction::Refused).len(), 1);
    assert!(server.unfit(Eviction::Tolerated).is_empty());
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
    assert!(text.contains("no replica to fail over to"), "{text}");
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
