//! wheel/upcoming: what users have in the wheels, merged over the partitions.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tickwheel_core::access::{Patterns, Sight};
use tickwheel_core::id::GroupName;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::context::{MergedList, PageBounds};
use tickwheel_store::wheel::{Coming, ComingKind, Upcoming, UpcomingFilter};

use crate::harness::{Harness, fresh, partition};

const ALL: PageBounds = PageBounds {
    items: 1_000,
    look: 6_400,
};

async fn add(test: &Harness, of: u16, at: u64, member: &str) {
    let wheel = test.key(partition(of), "wheel");
    test.text(&["ZADD", &wheel, &at.to_string(), member]).await;
}

async fn job(test: &Harness, of: u16, at: u64, name: &str, group: &str) {
    let key = test.key(partition(of), &format!("job:{name}"));
    let template = format!("{group} h 3 - body");
    test.text(&[
        "HSET",
        &key,
        "next",
        &(at - 1).to_string(),
        "tmpl",
        &template,
    ])
    .await;
    add(test, of, at, &format!("@{name}")).await;
}

/// Of each kind, of two groups and two namespaces, and what nobody submitted.
async fn some(test: &Harness) {
    add(test, 0, 5_000, "0.5000.a 0:0 g h 2 - body").await;
    add(test, 1, 4_000, "1.900.b@eu/x 2:1 g h 2 - body").await;
    add(test, 2, 3_000, "#2.800.c@eu/ k h c=0123456789 1").await;
    job(test, 3, 4_500, "eu/report", "k").await;
    job(test, 0, 6_000, "default/tidy", "g").await;
    for own in ["!reap", "!limits", "%0.5.root", "&eu/f 1.2.d failed"] {
        add(test, 1, 100, own).await;
    }
}

async fn list(test: &Harness, filter: &UpcomingFilter) -> MergedList<Upcoming> {
    test.store.list_upcoming(filter, "", ALL).await.unwrap()
}

/// When each comes, in seconds and their parts.
fn times(page: &MergedList<Upcoming>) -> Vec<u64> {
    page.items.iter().map(|one| one.at.as_u64()).collect()
}

#[tokio::test]
async fn each_kind_is_told_with_what_it_is_for_in_the_order_of_time() {
    let Some(test) = fresh().await else { return };
    some(&test).await;
    let page = list(&test, &UpcomingFilter::default()).await;
    assert_eq!(times(&page), [3_000, 4_000, 4_500, 5_000, 6_000]);
    assert_eq!((page.unreadable, page.next.as_str()), (0, ""));
    let kinds: Vec<ComingKind> = page.items.iter().map(kind).collect();
    let expected = [
        ComingKind::Deadline,
        ComingKind::Retry,
        ComingKind::Job,
        ComingKind::Run,
        ComingKind::Job,
    ];
    assert_eq!(kinds, expected);
    let [deadline, retry, job, ..] = page.items.as_slice() else {
        panic!("{page:?}");
    };
    assert_eq!((deadline.group.as_str(), deadline.priority), ("k", 1));
    assert!(matches!(&retry.coming, Coming::Retry { attempts: 2, .. }));
    let due = Some(TimestampMs::new(4_499));
    assert!(
        matches!(&job.coming, Coming::Job { name, due: of } if name.as_str() == "eu/report" && *of == due)
    );
    assert_eq!((job.group.as_str(), job.priority), ("k", 3));
    assert_eq!(page.looked.entries, 5);
}

fn kind(one: &Upcoming) -> ComingKind {
    match one.coming {
        Coming::Run(_) => ComingKind::Run,
        Coming::Retry { .. } => ComingKind::Retry,
        Coming::Job { .. } => ComingKind::Job,
        Coming::Deadline(_) => ComingKind::Deadline,
    }
}

#[tokio::test]
async fn all_that_is_given_must_hold() {
    let Some(test) = fresh().await else { return };
    some(&test).await;
    let none = UpcomingFilter::default;
    let prefix = |prefix: &str| UpcomingFilter {
        prefix: prefix.to_owned(),
        ..none()
    };
    let cases = [
        (prefix("eu/"), vec![3_000, 4_000, 4_500]),
        (prefix("eu/r"), vec![4_500]),
        // What has no job has no name that could begin so.
        (prefix("e"), vec![4_000, 4_500]),
        (prefix("eu"), vec![4_000, 4_500]),
        (prefix("default/"), vec![5_000, 6_000]),
        (prefix("e%"), vec![]),
        (
            UpcomingFilter {
                kinds: vec![ComingKind::Job, ComingKind::Run],
                ..none()
            },
            vec![4_500, 5_000, 6_000],
        ),
        (
            UpcomingFilter {
                group: Some(GroupName::new("k").unwrap()),
                ..none()
            },
            vec![3_000, 4_500],
        ),
        (
            UpcomingFilter {
                until: Some(TimestampMs::new(4_500)),
                ..none()
            },
            vec![3_000, 4_000],
        ),
        (
            UpcomingFilter {
                sight: Some(Sight {
                    namespaces: Patterns::parse(["eu"]).unwrap(),
                    groups: Patterns::parse(["g"]).unwrap(),
                    ..Sight::everything()
                }),
                ..none()
            },
            vec![4_000],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(times(&list(&test, &filter).await), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_hides_nothing_else() {
    let Some(test) = fresh().await else { return };
    some(&test).await;
    for broken in ["0.7.x", "#nothing", "9.9.y a:b g h 2 - x", "@a b"] {
        add(&test, 0, 4_200, broken).await;
    }
    // The job is gone: there is nothing to tell of it.
    add(&test, 0, 4_200, "@eu/gone").await;
    let jobs = test.key(partition(2), "job:eu/wrong");
    test.text(&["SET", &jobs, "no hash"]).await;
    add(&test, 2, 4_300, "@eu/wrong").await;
    let page = list(&test, &UpcomingFilter::default()).await;
    assert_eq!(times(&page), [3_000, 4_000, 4_500, 5_000, 6_000]);
    assert_eq!(page.unreadable, 5);
}

/// Whatever the pages, each entry comes once and in its order, and a page looks at no more than it may.
#[tokio::test]
async fn pages_are_the_list() {
    let Some(test) = fresh().await else { return };
    let mut random = StdRng::seed_from_u64(11);
    let mut expected = Vec::new();
    for of in 0..4 {
        for n in 0..60 {
            let at = random.random_range(1..=25_u64);
            let member = match n % 3 {
                0 => format!("{of}.{at}.r-{n} 0:0 g h 2 - body"),
                1 => format!("#{of}.{at}.r-{n} g h 2"),
                _ => "!reap".to_owned(),
            };
            if n % 3 != 2 {
                expected.push((at, of));
            }
            add(&test, of, at, &member).await;
        }
    }
    expected.sort_unstable();
    let filter = UpcomingFilter::default();
    for _ in 0..20 {
        let bounds = PageBounds {
            items: random.random_range(1..=30),
            look: random.random_range(1..=120),
        };
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = test.store.list_upcoming(&filter, &cursor, bounds);
            let page = page.await.unwrap();
            assert!(page.items.len() <= bounds.items as usize);
            assert!(page.looked.entries <= u64::from(bounds.look.max(8)) + 8);
            found.extend(page.items.iter().map(|one| {
                let (Coming::Run(id) | Coming::Retry { id, .. } | Coming::Deadline(id)) =
                    &one.coming
                else {
                    panic!("{one:?}");
                };
                (
                    one.at.as_u64(),
                    id.partition().as_u16(),
                    id.to_string(),
                    kind(one).as_str(),
                )
            }));
            cursor = page.next;
            if cursor.is_empty() {
                break;
            }
        }
        let order: Vec<(u64, u16)> = found.iter().map(|one| (one.0, one.1)).collect();
        assert_eq!(order, expected, "{bounds:?}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), expected.len());
    }
    let other = UpcomingFilter {
        kinds: vec![ComingKind::Run],
        ..UpcomingFilter::default()
    };
    let few = PageBounds {
        items: 3,
        look: 100,
    };
    let first = test.store.list_upcoming(&filter, "", few).await.unwrap();
    let wrong = test.store.list_upcoming(&other, &first.next, few).await;
    assert!(wrong.is_err(), "{wrong:?}");
}

/// What fits nothing costs no more than a page may, and what is far behind is not read for the first one.
#[tokio::test]
async fn a_page_costs_what_it_may_and_no_body() {
    let Some(test) = fresh().await else { return };
    let fill = "for i = 1, 20000 do redis.call('ZADD', KEYS[1], 10 * i, '3.' .. i .. '.m 0:0 g h 2 - body') end";
    let wheel = test.key(partition(3), "wheel");
    test.text(&["EVAL", fill, "1", &wheel]).await;
    let nobody = UpcomingFilter {
        group: Some(GroupName::new("none").unwrap()),
        ..UpcomingFilter::default()
    };
    let page = list(&test, &nobody).await;
    assert_eq!(page.items, []);
    assert!(!page.next.is_empty());
    assert!(
        (6_000..=6_500).contains(&page.looked.entries),
        "{:?}",
        page.looked
    );
    assert_eq!(page.looked.of, 20_000);
    let few = PageBounds {
        items: 10,
        look: 6_400,
    };
    let everything = UpcomingFilter::default();
    let first = test.store.list_upcoming(&everything, "", few);
    let first = first.await.unwrap();
    assert_eq!(times(&first).last(), Some(&100));
    assert!(first.looked.entries < 80, "{:?}", first.looked);
}
