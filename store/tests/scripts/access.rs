//! access/*: tokens are kept, found, given other secrets, and forgotten. audit/*: what was done is written down.

use std::time::Duration;

use tickwheel_core::access::{Role, Scope, Secret, SecretDigest, TokenId, TokenRates};
use tickwheel_store::Error;
use tickwheel_store::access::{First, NewToken};
use tickwheel_store::audit::AuditEvent;

use crate::harness::{Harness, alone, fresh};

fn id(of: u8) -> TokenId {
    TokenId::random([of; 12])
}

fn digest(of: u8) -> SecretDigest {
    Secret::new([of; 32]).digest()
}

fn token(of: u8) -> NewToken {
    NewToken {
        id: id(of),
        digest: digest(of),
        name: format!("token {of}"),
        scope: Scope {
            role: Role::Viewer,
            ..Scope::unlimited()
        },
        valid: None,
        bound: None,
        rates: TokenRates::default(),
    }
}

fn key(test: &Harness, name: &str) -> String {
    format!("{{{}}}:{name}", test.prefix)
}

/// How often tokens changed, as the next heartbeat tells.
async fn changes(test: &Harness) -> u64 {
    let ttl = Duration::from_secs(1);
    let told = test.store.heartbeat(None, ttl, &[]).await.unwrap();
    told.tokens_changed
}

#[tokio::test]
async fn a_token_is_kept_without_its_secret_found_and_forgotten() {
    let Some(test) = fresh().await else { return };
    assert_eq!(changes(&test).await, 0);
    let made = test.store.make_token(&token(1)).await.unwrap();
    let found = test.store.get_token(&id(1)).await.unwrap().unwrap();
    assert!(found.now >= made);
    let record = found.record;
    assert_eq!((record.made, record.name.as_str()), (made, "token 1"));
    assert_eq!(record.scope.role, Role::Viewer);
    assert_eq!(record.good_until(digest(1), found.now), Some(None));
    assert_eq!(record.good_until(digest(2), found.now), None);
    let again = test.store.make_token(&token(1)).await.unwrap_err();
    assert!(matches!(again, Error::Conflict(_)), "{again}");
    let first_change = changes(&test).await;
    assert!(first_change > 0);
    assert!(test.store.get_token(&id(2)).await.unwrap().is_none());
    test.store.note_tokens_used(&[id(1), id(2)]).await.unwrap();
    let used = test.texts(&["HGETALL", &key(&test, "tokens_used")]).await;
    assert_eq!(used.len(), 2, "only of what there is: {used:?}");
    test.store.revoke_token(&id(1)).await.unwrap();
    assert!(changes(&test).await > first_change);
    let gone = test.store.revoke_token(&id(1)).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
    let left = test.texts(&["HLEN", &key(&test, "tokens_used")]).await;
    assert_eq!(left, ["0"]);
}

#[tokio::test]
async fn a_secret_before_is_good_for_its_grace_and_a_token_until_its_end() {
    let Some(test) = fresh().await else { return };
    let ends = NewToken {
        valid: Some(Duration::from_secs(3_600)),
        ..token(1)
    };
    let made = test.store.make_token(&ends).await.unwrap();
    let (grace, later) = (Duration::from_secs(60), made.plus_ms(61_000));
    for _ in 0..2 {
        let rotated = test.store.rotate_token(&id(1), digest(2), grace).await;
        let rotated = rotated.unwrap();
        assert!(rotated.good_until(digest(2), later).is_some());
        assert!(rotated.good_until(digest(1), made).is_some());
        assert!(
            rotated
                .good_until(digest(1), later.plus_ms(60_000))
                .is_none()
        );
        assert!(
            rotated
                .good_until(digest(2), made.plus_ms(3_600_000))
                .is_none()
        );
        assert!(rotated.rotated.is_some() && rotated.made == made);
    }
    let (one, at_once) = (id(1), Duration::ZERO);
    let none = test.store.rotate_token(&one, digest(3), at_once).await;
    let none = none.unwrap();
    assert!(none.good_until(digest(2), made).is_none() && none.earlier_until().is_none());
    let unknown = test.store.rotate_token(&id(9), digest(3), grace).await;
    assert!(
        matches!(unknown, Err(Error::NotFound { .. })),
        "{unknown:?}"
    );
}

#[tokio::test]
async fn there_is_one_first_token_of_an_admin_while_it_is_good() {
    let Some(test) = fresh().await else { return };
    test.store.make_token(&token(1)).await.unwrap();
    let admin = |of: u8| NewToken {
        scope: Scope::unlimited(),
        ..token(of)
    };
    let short = NewToken {
        valid: Some(Duration::from_secs(1)),
        ..admin(2)
    };
    let first = test.store.make_first_token(&short).await.unwrap();
    assert!(matches!(first, First::Made(_)), "a viewer is no admin");
    for of in [2, 3] {
        let again = test.store.make_first_token(&admin(of)).await.unwrap();
        assert_eq!(again, First::HasAdmin);
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let next = test.store.make_first_token(&admin(3)).await.unwrap();
    assert!(matches!(next, First::Made(_)), "the one before is over");
}

#[tokio::test]
async fn tokens_are_listed_page_by_page_and_there_are_not_too_many() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    test.store.make_token(&token(1)).await.unwrap();
    let tokens = key(&test, "tokens");
    let fill = "local text = redis.call('HGET', KEYS[1], ARGV[1])
        for i = 2, 10000 do redis.call('HSET', KEYS[1], 'filled' .. string.format('%06d', i), text) end
        redis.call('HSET', KEYS[1], 'unread23', 'x') redis.call('HDEL', KEYS[1], 'filled000002') return 1";
    let one = id(1);
    test.text(&["EVAL", fill, "1", &tokens, one.as_str()]).await;
    let full = test.store.make_token(&token(2)).await.unwrap_err();
    assert!(matches!(full, Error::Full(_)), "{full}");
    let (mut seen, mut unreadable) = (std::collections::BTreeSet::new(), 0);
    let (mut cursor, mut pages) = (String::new(), 0);
    loop {
        let page = test.store.list_tokens(&cursor).await.unwrap();
        assert!(page.items.len() < 1_000, "{} in a page", page.items.len());
        unreadable += page.unreadable;
        seen.extend(page.items.iter().map(|one| one.id.to_string()));
        pages += 1;
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!((seen.len(), unreadable), (9_999, 1));
    assert!(pages > 50, "{pages} pages");
    for wrong in ["x", "-1", "18446744073709551616000"] {
        let refused = test.store.list_tokens(wrong).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_read_is_damage_and_lets_nobody_in() {
    let Some(test) = fresh().await else { return };
    let (tokens, one) = (key(&test, "tokens"), id(1));
    for text in ["", "x", "- - 0 0 0 0 admin:{}"] {
        test.command(&["HSET", &tokens, one.as_str(), text]).await;
        let read = test.store.get_token(&one).await;
        assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
    }
    test.store.revoke_token(&one).await.unwrap();
    test.command(&["SET", &tokens, "x"]).await;
    let read = test.store.get_token(&one).await;
    assert!(matches!(read, Err(Error::Damaged { .. })), "{read:?}");
}

#[tokio::test]
async fn a_script_of_tokens_refuses_before_it_writes() {
    let Some(test) = fresh().await else { return };
    let (tokens, good) = (key(&test, "tokens"), digest(1).to_hex());
    let names = "id digest about";
    for args in [
        [names, "short", &good, "viewer:{}"],
        [names, "ABCDEFGH", &good, "viewer:{}"],
        [names, "!", &good, "viewer:{}"],
        [names, "abcdefgh", "ABC", "viewer:{}"],
        [names, "abcdefgh", &good, "viewer"],
        [names, "abcdefgh", &good, "Viewer:{}"],
    ] {
        let refused = test.eval_as_given("access/make", &tokens, &args).await;
        let refused = refused.unwrap_err();
        assert!(refused.contains("BAD_ARG"), "{args:?}: {refused}");
        assert!(!refused.contains(&good), "{refused}");
    }
    assert_eq!(test.texts(&["EXISTS", &tokens]).await, ["0"]);
    test.store.make_token(&token(1)).await.unwrap();
    // A name that no token can have.
    let nobody = test.eval_as_given("access/get", &tokens, &["!"]).await;
    assert_eq!(nobody.unwrap(), ["NO_TOKEN"]);
    let nobody = test
        .eval_as_given("access/revoke", &tokens, &["", "!"])
        .await;
    assert_eq!(nobody.unwrap(), ["NO_TOKEN"]);
}

#[tokio::test]
async fn what_was_done_is_listed_the_newest_first_and_bounded() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let event = |number: u64| AuditEvent {
        token: id(1).to_string(),
        method: "DeleteJob".to_owned(),
        objects: vec![format!("job a/{number}")],
        count: number,
        ..AuditEvent::default()
    };
    let before = test.now().await;
    for number in 0..5 {
        test.store.append_audit(&[event(number)]).await.unwrap();
    }
    test.store.append_audit(&[]).await.unwrap();
    let audit = key(&test, "audit");
    test.command(&["XADD", &audit, "*", "e", "no json"]).await;
    test.command(&["XADD", &audit, "*", "other", "{}"]).await;
    let (mut cursor, mut counts, mut unreadable) = (String::new(), Vec::new(), 0);
    loop {
        let page = test.store.list_audit(&cursor, 2).await.unwrap();
        unreadable += page.unreadable;
        for entry in &page.items {
            assert!(entry.at.as_u64() >= before);
            counts.push(entry.event.count);
        }
        cursor = page.next;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!((counts, unreadable), (vec![4, 3, 2, 1, 0], 2));
    for wrong in ["x", "1", "1-", "1-x", "99999999999999999-1"] {
        let refused = test.store.list_audit(wrong, 2).await.unwrap_err();
        assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    }
    let fill = "for i = 1, 25000 do redis.call('XADD', KEYS[1], '*', 'e', '{}') end return 1";
    test.text(&["EVAL", fill, "1", &audit]).await;
    test.store.append_audit(&[event(9)]).await.unwrap();
    let kept: u64 = test.text(&["XLEN", &audit]).await.parse().unwrap();
    assert!((20_000..20_200).contains(&kept), "{kept}");
    let long = AuditEvent {
        method: "m".repeat(5_000),
        ..AuditEvent::default()
    };
    assert!(test.store.append_audit(&[long]).await.is_err());
}
