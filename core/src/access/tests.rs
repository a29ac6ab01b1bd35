use proptest::prelude::*;

use super::*;
use crate::error::Violations;

fn patterns(texts: &[&str]) -> Patterns {
    Patterns::parse(texts).unwrap()
}

fn fields(found: &Violations) -> Vec<&str> {
    found.iter().map(|one| one.field.as_str()).collect()
}

fn worker(groups: &[&str]) -> Scope {
    Scope {
        role: Role::Worker,
        sight: Sight {
            namespaces: Patterns::default(),
            groups: patterns(groups),
            handlers: Patterns::any(),
        },
        permissions: std::collections::BTreeSet::new(),
        worker: Some(WorkerBounds {
            ids: patterns(&["mill-*"]),
            permits: Some(8),
        }),
    }
}

fn of(role: Role, namespaces: &[&str]) -> Scope {
    Scope {
        role,
        sight: Sight {
            namespaces: patterns(namespaces),
            ..Sight::everything()
        },
        permissions: std::collections::BTreeSet::new(),
        worker: None,
    }
}

#[test]
fn a_role_includes_those_before_it_and_a_worker_is_apart() {
    for (at, role) in Role::ALL.iter().enumerate() {
        for (least_at, least) in Role::ALL.iter().enumerate() {
            let expected = match (*role, *least) {
                (Role::Worker, least) => least == Role::Worker,
                (_, Role::Worker) => false,
                _ => at >= least_at,
            };
            assert_eq!(role.includes(*least), expected, "{role} {least}");
        }
    }
}

#[test]
fn a_pattern_is_a_name_or_a_beginning_and_nothing_else_has_a_meaning() {
    for (pattern, name, expected) in [
        ("billing", "billing", true),
        ("billing", "billing2", false),
        ("billing", "Billing", false),
        ("team-*", "team-a", true),
        ("team-*", "team-", true),
        ("team-*", "team", false),
        ("*", "", true),
        ("*", "anything", true),
        ("a.c", "abc", false),
    ] {
        let read: Pattern = pattern.parse().unwrap();
        assert_eq!(read.matches(name), expected, "{pattern} {name}");
        assert_eq!(read.to_string(), pattern);
    }
    let long = "a".repeat(129);
    for wrong in ["", "a*b", "**", "*a", "a b", "a?", "[a]", "ä", "a\n", &long] {
        assert!(wrong.parse::<Pattern>().is_err(), "{wrong:?}");
    }
    let wrong = Patterns::parse(["ok", "a?", "*b"]).unwrap_err();
    assert_eq!(fields(&wrong), ["[1]", "[2]"]);
    assert!(Patterns::parse(vec!["a"; 65]).is_err());
    assert!(!Patterns::default().matches("a"), "none means nothing");
}

#[test]
fn what_is_covered_is_left_out() {
    let kept: Vec<String> = patterns(&["b", "team-a", "team-*", "b", "teamwork"])
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(kept, ["b", "team-*", "teamwork"]);
    assert!(patterns(&["team-*"]).covers(&patterns(&["team-a", "team-b*"])));
    assert!(!patterns(&["team-a"]).covers(&patterns(&["team-a*"])));
    assert!(!patterns(&["a", "b"]).covers(&patterns(&["a", "c"])));
    assert!(
        Patterns::any().covers(&patterns(&["a"])) && !patterns(&["a"]).covers(&Patterns::any())
    );
}

#[test]
fn names_of_jobs_in_sight_begin_so() {
    let sight = of(Role::Viewer, &["team-*", "billing", "a.b"]).sight;
    assert_eq!(sight.beginnings(), ["a.b/", "billing/", "team-"]);
    assert_eq!(Sight::everything().beginnings(), [""]);
}

#[test]
fn what_is_not_known_is_hidden_from_who_does_not_see_all() {
    let mut sight = of(Role::Viewer, &["a"]).sight;
    assert!(sight.has("a", None, None) && !sight.has("b", None, None));
    sight.groups = patterns(&["g"]);
    assert!(sight.has("a", Some("g"), None) && !sight.has("a", Some("h"), None));
    assert!(!sight.has("a", None, None));
    let id = "3.5.a-1@a/".parse().unwrap();
    assert!(sight.has_context(&id, Some("g"), None));
    let id = "3.5.a-1".parse().unwrap();
    assert!(!sight.has_context(&id, Some("g"), None), "of `default`");
}

#[test]
fn nobody_gives_more_than_it_has() {
    let admin = of(Role::Admin, &["a", "b-*"]);
    for (other, covered) in [
        (of(Role::Admin, &["a"]), true),
        (of(Role::Viewer, &["b-1"]), true),
        (of(Role::Viewer, &["c"]), false),
        (of(Role::Viewer, &["*"]), false),
        (worker(&["g"]), true),
        (
            Scope {
                permissions: [Permission::ReadPayload].into(),
                ..of(Role::Viewer, &["a"])
            },
            false,
        ),
    ] {
        assert_eq!(admin.covers(&other), covered, "{other:?}");
    }
    assert!(!of(Role::Operator, &["*"]).covers(&of(Role::Admin, &["a"])));
    assert!(!of(Role::Operator, &["*"]).covers(&worker(&["g"])));
    assert!(Scope::unlimited().covers(&Scope::unlimited()));
}

#[test]
fn the_parts_of_a_scope_go_together() {
    assert_eq!(worker(&["g"]).validate(), Ok(()));
    assert_eq!(Scope::unlimited().validate(), Ok(()));
    let nothing = Scope {
        sight: Sight::default(),
        ..Scope::unlimited()
    };
    let found = nothing.validate().unwrap_err();
    assert_eq!(fields(&found), ["groups", "handlers", "namespaces"]);
    let mixed = Scope {
        worker: None,
        permissions: [Permission::ReadPayload].into(),
        sight: Sight::everything(),
        ..worker(&["g"])
    };
    let found = mixed.validate().unwrap_err();
    assert_eq!(fields(&found), ["namespaces", "permissions", "worker_ids"]);
    let bounds = WorkerBounds {
        ids: Patterns::any(),
        permits: Some(0),
    };
    let wrong = Scope {
        worker: Some(bounds),
        ..worker(&["g"])
    };
    assert_eq!(fields(&wrong.validate().unwrap_err()), ["permits"]);
}

#[test]
fn a_scope_is_read_as_it_was_written_and_never_with_more() {
    for scope in [
        worker(&["g", "h*"]),
        of(Role::Operator, &["a"]),
        Scope::unlimited(),
    ] {
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(
            serde_json::from_str::<Scope>(&text).unwrap(),
            scope,
            "{text}"
        );
    }
    let without = r#"{"role":"viewer","groups":["*"],"handlers":["*"]}"#;
    assert!(serde_json::from_str::<Scope>(without).is_err());
    let unknown = r#"{"role":"root","namespaces":["*"],"groups":["*"],"handlers":["*"]}"#;
    assert!(serde_json::from_str::<Scope>(unknown).is_err());
}

#[test]
fn a_token_is_a_text_and_nothing_shows_its_secret() {
    let token = Token {
        id: TokenId::random([7; 12]),
        secret: Secret::new([0xfb; 32]),
    };
    let text = token.reveal();
    assert!(
        text.starts_with("tw_hhhhhhhhhhhh_") && text.len() == 59,
        "{text}"
    );
    let read: Token = text.parse().unwrap();
    assert_eq!(read.id, token.id);
    assert_eq!(read.secret.digest(), token.secret.digest());
    let (_, secret) = text.rsplit_once("h_").unwrap();
    let digest = token.secret.digest().to_hex();
    for shown in [format!("{token:?}"), format!("{:?}", token.secret.digest())] {
        assert!(
            !shown.contains(secret) && !shown.contains(&digest),
            "{shown}"
        );
    }
    let kept: SecretDigest = digest.parse().unwrap();
    assert!(kept == token.secret.digest());
    assert!(kept != Secret::new([0; 32]).digest());
}

#[test]
fn what_is_no_token_is_refused_and_never_repeated() {
    let token = Token {
        id: TokenId::random([1; 12]),
        secret: Secret::new([9; 32]),
    };
    let good = token.reveal();
    let wrong = [
        String::new(),
        "tw_".to_owned(),
        good.replacen("tw_", "TW_", 1),
        format!("{good}A"),
        good[..good.len() - 1].to_owned(),
        format!("{}=", &good[..good.len() - 1]),
        good.replacen("tw_b", "tw_ä", 1),
        format!("tw_short_{}", "A".repeat(43)),
        // Bits behind the last byte are none.
        format!("tw_abcdefgh_{}B", "A".repeat(42)),
        format!(" {good}"),
    ];
    for text in wrong {
        let refused = text.parse::<Token>().unwrap_err().to_string();
        assert!(text.len() < 4 || !refused.contains(&text), "{refused}");
    }
    let as_id = good.parse::<TokenId>().unwrap_err().to_string();
    assert!(!as_id.contains(&good), "{as_id}");
    assert!("ABCDEFGH".parse::<TokenId>().is_err());
}

#[test]
fn a_token_in_a_text_is_shown_without_its_secret() {
    let token = Token {
        id: TokenId::random([7; 12]),
        secret: Secret::new([0xfb; 32]),
    };
    let text = token.reveal();
    for (before, behind) in [("", ""), ("job ", " x"), ("a/", "/b")] {
        let masked = mask(&format!("{before}{text}{behind}")).into_owned();
        assert_eq!(masked, format!("{before}tw_hhhhhhhhhhhh_…{behind}"));
    }
    let cut = mask(&text[..text.len() - 20]).into_owned();
    assert_eq!(cut, "tw_hhhhhhhhhhhh_…");
    for plain in [
        "",
        "tw_",
        "tw_a",
        "{tw}:tokens",
        "a tw_nightly_report",
        "tw_a_b tw_c",
    ] {
        assert_eq!(mask(plain), plain);
    }
    let given = crate::error::Violation::new("name", "is short", &text).given;
    assert_eq!(given, "tw_hhhhhhhhhhhh_…");
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,80}") {
        drop((text.parse::<Token>(), text.parse::<Pattern>(), text.parse::<SecretDigest>()));
    }

    #[test]
    fn covering_means_matching_all_that_is_matched(
        own in "[ab]{0,3}\\*?", other in "[ab]{0,3}\\*?", name in "[ab]{0,4}",
    ) {
        if let (Ok(own), Ok(other)) = (own.parse::<Pattern>(), other.parse::<Pattern>())
            && own.covers(&other) && other.matches(&name)
        {
            prop_assert!(own.matches(&name), "{own} {other} {name}");
        }
    }
}
