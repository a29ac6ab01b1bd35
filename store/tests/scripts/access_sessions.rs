//! access/*_session: sessions of browsers, each as good as its token and no longer.

use std::time::Duration;

use tickwheel_core::access::{Role, Scope, Secret, SecretDigest, TokenId, TokenRates};
use tickwheel_store::Error;
use tickwheel_store::access::{Kept, NewSession, NewToken, ShownFor};

use crate::harness::{Harness, fresh};

fn id(of: u8) -> TokenId {
    TokenId::random([of; 12])
}

fn digest(of: u8) -> SecretDigest {
    Secret::new([of; 32]).digest()
}

async fn with_token(valid: Option<Duration>) -> Option<Harness> {
    let test = fresh().await?;
    let token = NewToken {
        id: id(1),
        digest: digest(1),
        name: "somebody".to_owned(),
        scope: Scope {
            role: Role::Viewer,
            ..Scope::unlimited()
        },
        valid,
        bound: None,
        rates: TokenRates::default(),
    };
    test.store.make_token(&token).await.unwrap();
    Some(test)
}

fn session(of: u8) -> NewSession {
    NewSession {
        id: id(of),
        digest: digest(of),
        shown: ShownFor::Token {
            id: id(1),
            secret: digest(1),
        },
        kept: Kept::Session,
        valid: Duration::from_secs(3_600),
    }
}

#[tokio::test]
async fn a_session_is_found_with_its_token_and_ended() {
    let Some(test) = with_token(None).await else {
        return;
    };
    let ends = test.store.open_session(&session(2)).await.unwrap();
    let found = test.store.get_session(&id(2)).await.unwrap().unwrap();
    assert_eq!((found.session.ends, &found.session.token), (ends, &id(1)));
    assert_eq!(found.record.name, "somebody");
    let good = |secret, at| found.session.is_good(secret, &found.record, at);
    assert!(good(digest(2), found.now));
    assert!(
        !good(digest(1), found.now),
        "the token's secret is not its own"
    );
    assert!(!good(digest(2), ends), "it is over");
    let taken = test.store.open_session(&session(2)).await.unwrap_err();
    assert!(matches!(taken, Error::Conflict(_)), "{taken}");
    test.store.close_session(&id(2)).await.unwrap();
    assert!(test.store.get_session(&id(2)).await.unwrap().is_none());
    test.store.close_session(&id(2)).await.unwrap();
}

#[tokio::test]
async fn a_session_is_no_better_than_what_was_shown_for_it() {
    let Some(test) = with_token(Some(Duration::from_secs(60))).await else {
        return;
    };
    let ends = test.store.open_session(&session(2)).await.unwrap();
    let found = test.store.get_session(&id(2)).await.unwrap().unwrap();
    assert_eq!(
        Some(ends),
        found.record.not_after,
        "not longer than the token"
    );
    let grace = Duration::ZERO;
    let rotated = test.store.rotate_token(&id(1), digest(9), grace).await;
    rotated.unwrap();
    let found = test.store.get_session(&id(2)).await.unwrap().unwrap();
    let is_good = found.session.is_good(digest(2), &found.record, found.now);
    assert!(!is_good, "another secret was shown for it");
    test.store.revoke_token(&id(1)).await.unwrap();
    assert!(test.store.get_session(&id(2)).await.unwrap().is_none());
    let none = test.store.open_session(&session(3)).await.unwrap_err();
    assert!(matches!(none, Error::NotFound { .. }), "{none}");
}

#[tokio::test]
async fn the_newest_twenty_of_a_token_are_kept() {
    let Some(test) = with_token(None).await else {
        return;
    };
    for of in 0..25 {
        test.store.open_session(&session(of)).await.unwrap();
    }
    let kept = test
        .texts(&["HKEYS", &format!("{{{}}}:sessions", test.prefix)])
        .await;
    assert_eq!(kept.len(), 20);
    let newest = test.store.get_session(&id(24)).await.unwrap();
    assert!(newest.is_some());
}

fn link(of: u8) -> NewSession {
    NewSession {
        kept: Kept::Link,
        valid: Duration::from_secs(60),
        ..session(of)
    }
}

/// A session for whoever opened a link with this secret.
fn by_link(of: u8, link: u8, secret: u8) -> NewSession {
    NewSession {
        shown: ShownFor::Link {
            id: id(link),
            secret: digest(secret),
        },
        ..session(of)
    }
}

fn is_no_link(error: &Error) -> bool {
    matches!(error, Error::NotFound { kind: "link", .. })
}

#[tokio::test]
async fn a_link_is_exchanged_for_a_session_once() {
    let Some(test) = with_token(None).await else {
        return;
    };
    test.store.open_session(&link(2)).await.unwrap();
    assert!(
        test.store.get_session(&id(2)).await.unwrap().is_none(),
        "a link is no session"
    );
    let before = test.dump().await;
    for wrong in [by_link(3, 2, 9), by_link(3, 7, 2)] {
        let refused = test.store.open_session(&wrong).await.unwrap_err();
        assert!(is_no_link(&refused), "{refused}");
    }
    assert_eq!(test.dump().await, before, "who guesses takes nothing away");
    test.store.open_session(&by_link(3, 2, 2)).await.unwrap();
    let found = test.store.get_session(&id(3)).await.unwrap().unwrap();
    assert!(found.session.is_good(digest(3), &found.record, found.now));
    let again = test
        .store
        .open_session(&by_link(4, 2, 2))
        .await
        .unwrap_err();
    assert!(is_no_link(&again), "{again}");
    // A session opens none.
    let session = test
        .store
        .open_session(&by_link(4, 3, 3))
        .await
        .unwrap_err();
    assert!(is_no_link(&session), "{session}");
}

#[tokio::test]
async fn a_link_is_no_better_than_its_token_and_lasts_as_long_as_it_says() {
    let Some(test) = with_token(None).await else {
        return;
    };
    test.store.open_session(&link(2)).await.unwrap();
    let rotated = test
        .store
        .rotate_token(&id(1), digest(9), Duration::ZERO)
        .await;
    rotated.unwrap();
    test.store.open_session(&by_link(3, 2, 2)).await.unwrap();
    let found = test.store.get_session(&id(3)).await.unwrap().unwrap();
    assert!(
        !found.session.is_good(digest(3), &found.record, found.now),
        "another secret was shown"
    );
    test.store.revoke_token(&id(1)).await.unwrap();
    let key = format!("{{{}}}:sessions", test.prefix);
    let hex = digest(5).to_hex();
    let over = format!("{hex} 9 5 {} {hex} once", id(1));
    test.command(&["HSET", &key, id(5).as_str(), &over]).await;
    let refused = test
        .store
        .open_session(&by_link(4, 5, 5))
        .await
        .unwrap_err();
    assert!(is_no_link(&refused), "it is over: {refused}");
    let of_revoked = format!("{hex} 9999999999999 5 {} {hex} once", id(1));
    test.command(&["HSET", &key, id(5).as_str(), &of_revoked])
        .await;
    let refused = test
        .store
        .open_session(&by_link(4, 5, 5))
        .await
        .unwrap_err();
    assert!(is_no_link(&refused), "its token is gone: {refused}");
}

#[tokio::test]
async fn links_push_out_no_sessions() {
    let Some(test) = with_token(None).await else {
        return;
    };
    test.store.open_session(&session(31)).await.unwrap();
    for of in 0..30 {
        test.store.open_session(&link(of)).await.unwrap();
    }
    let kept = test
        .texts(&["HKEYS", &format!("{{{}}}:sessions", test.prefix)])
        .await;
    assert_eq!(kept.len(), 6, "five links and the session");
    assert!(test.store.get_session(&id(31)).await.unwrap().is_some());
    assert!(test.store.open_session(&by_link(30, 29, 29)).await.is_ok());
}
