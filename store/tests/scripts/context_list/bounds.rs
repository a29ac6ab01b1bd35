//! What a request looks at is bounded, and a cursor that comes from elsewhere is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tickwheel_core::run::ContextState;
use tickwheel_store::Error;
use tickwheel_store::context::{ContextFilter, LOOK_MAX, PageBounds};
use tickwheel_store::dead::DeadFilter;

use super::of_state;
use super::rows::page;
use crate::harness::{Harness, fresh, partition};

const BOUNDS: PageBounds = PageBounds {
    items: 50,
    look: LOOK_MAX,
};

/// So many contexts in the wheels, and as many among the dead, over four partitions.
async fn fill(test: &Harness, each: u32) {
    let script = format!(
        "local base, p = string.match(KEYS[1], '^(.-}}:)'), ARGV[1]
         for i = 1, {each} do
           redis.call('ZADD', base .. 'wheel', 1000 + i, p .. '.' .. (1000 + i) .. '.w-' .. i .. ' 0:0 g h 2 - body')
           redis.call('ZADD', base .. 'dead', i, p .. '.1.d-' .. i .. '\tfailed\t1\tw-1\t1\t' .. i .. '\tno\tg\th\t1\\n1 g h 2 - body')
         end"
    );
    for p in 0..4_u16 {
        let wheel = test.key(partition(p), "wheel");
        test.text(&["EVAL", &script, "1", &wheel, &p.to_string()])
            .await;
    }
}

#[tokio::test]
async fn a_filter_that_nothing_fits_looks_at_no_more_than_others() {
    let Some(test) = fresh().await else { return };
    fill(&test, 12_500).await;
    let nothing = |state: ContextState| ContextFilter {
        handler: Some("other".parse().unwrap()),
        ..of_state(state)
    };
    for state in [ContextState::Scheduled, ContextState::Failed] {
        let (mut cursor, mut looked, mut requests) = (String::new(), 0, 0);
        loop {
            let page = page(&test, &nothing(state), &cursor, BOUNDS).await;
            assert!(
                page.looked.entries <= u64::from(LOOK_MAX),
                "{:?}",
                page.looked
            );
            assert_eq!((page.items.len(), page.looked.of), (0, 50_000));
            looked += page.looked.entries;
            requests += 1;
            if page.next.is_empty() {
                break;
            }
            assert!(
                page.looked.entries >= u64::from(LOOK_MAX) * 3 / 4,
                "{:?}",
                page.looked
            );
            cursor = page.next;
        }
        // What lies behind the point that all partitions have come to is looked at twice.
        assert!((50_000..60_000).contains(&looked), "{state}: {looked}");
        assert!(requests <= 10, "{state}: {requests}");
    }
    let few = page(&test, &of_state(ContextState::Scheduled), "", BOUNDS).await;
    assert_eq!(few.items.len(), 50);
    assert!(few.looked.entries <= 200, "{:?}", few.looked);
}

/// A cursor with one of its parts changed: behind its form and its length.
fn with(cursor: &str, part: usize, text: &str) -> String {
    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    let mut parts: Vec<&str> = plain.splitn(9, ' ').skip(2).collect();
    parts[part - 1] = text;
    let rest = parts.join(" ");
    URL_SAFE_NO_PAD.encode(format!("1 {} {rest}", rest.len()))
}

async fn is_refused(test: &Harness, filter: &ContextFilter, cursor: &str) -> bool {
    let page = test.store.list_contexts(filter, cursor, 10).await;
    match page {
        Err(Error::Invalid(wrong)) => wrong.iter().all(|one| one.field == "cursor"),
        Err(error) => panic!("{error}"),
        Ok(_) => false,
    }
}

#[tokio::test]
async fn a_cursor_of_elsewhere_is_refused() {
    let Some(test) = fresh().await else { return };
    fill(&test, 20).await;
    let filter = of_state(ContextState::Scheduled);
    let first = test.store.list_contexts(&filter, "", 10).await.unwrap();
    let good = first.next;
    assert!(good.len() < 100, "{good}");
    assert!(!is_refused(&test, &filter, &good).await);
    let mut bad = vec![
        "x".to_owned(),
        "0/held/".to_owned(),
        "\u{fc}".to_owned(),
        "A".repeat(1 << 20),
        format!("{good}="),
        format!(" {good}"),
    ];
    // A part of a cursor is none.
    bad.extend((1..good.len()).map(|length| good[..length].to_owned()));
    bad.push(URL_SAFE_NO_PAD.encode("2 1 x"));
    let parts = [
        (1, "5"),
        (1, "16"),
        (2, "0"),
        (3, "1"),
        (3, "99999999999999999999"),
        (4, "1"),
        (4, "65535"),
        (5, "-1"),
        (6, "4"),
        (6, "x"),
        (7, "5"),
        (7, "5:x"),
        (7, "nan:1"),
        (7, "5:1 6:1"),
        (7, "5:1\n"),
        (7, "=1e999999x"),
        (7, "(5"),
        (7, "5-1:1"),
        (7, "9999999999999999:99999999999999999999"),
    ];
    bad.extend(parts.iter().map(|(part, text)| with(&good, *part, text)));
    for cursor in &bad {
        assert!(is_refused(&test, &filter, cursor).await, "{cursor}");
    }
    // What is well formed and of no page is only another place.
    for text in ["", "=5", "<inf", "-inf:7", "1e300:1", "1005:999999"] {
        assert!(
            !is_refused(&test, &filter, &with(&good, 7, text)).await,
            "{text}"
        );
    }
    let other = of_state(ContextState::Running);
    assert!(is_refused(&test, &other, &good).await);
    let refused = test
        .store
        .list_dead(&DeadFilter::default(), &good, 10)
        .await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}
