//! Pages of items for contexts that are split by their own handlers, and what tests ask of them.

use std::collections::BTreeMap;

use crate::call::{Offer, Part, T};

pub(crate) const ROOT: &str = "3.900.a-1";

pub(crate) const ALL: Offer<'static> = ("w", "g", 100, "h,leaf,sum");
pub(crate) const AT_ONCE: &str = "2 b=f:0:0:0,p=m:0";

/// A page of items for the handler `leaf`.
pub(crate) struct Page<'a> {
    pub(crate) id: &'a str,
    pub(crate) attempt: &'a str,
    pub(crate) offset: &'a str,
    pub(crate) options: &'a str,
    pub(crate) parallelism: &'a str,
    pub(crate) reduce: &'a str,
    pub(crate) reduce_on: &'a str,
}

pub(crate) const PAGE: Page<'static> = Page {
    id: ROOT,
    attempt: "1",
    offset: "0",
    options: AT_ONCE,
    parallelism: "0",
    reduce: "",
    reduce_on: "ended",
};

pub(crate) async fn split(part: &Part<'_>, page: &Page<'_>, items: &[&str]) -> Vec<String> {
    let now = T.to_string();
    let holder = part.holder(page.id, page.attempt).await;
    let mut args = vec![
        now.as_str(),
        page.id,
        holder.as_str(),
        page.offset,
        if items.is_empty() { "" } else { "leaf" },
        if items.is_empty() { "" } else { page.options },
        page.parallelism,
        page.reduce,
        page.reduce_on,
    ];
    args.extend(items);
    part.answer("fan/split", &args).await
}

/// The ids that a turn claims, with their counts.
pub(crate) async fn claims(part: &Part<'_>, now: u64, offers: &[Offer<'_>]) -> Vec<String> {
    let claims = part.turn(now, 1_000, offers).await.claims;
    let head = |(_, member): (String, String)| {
        let words: Vec<&str> = member.splitn(3, ' ').collect();
        format!("{} {}", words[0], words[1])
    };
    claims.into_iter().map(head).collect()
}

pub(crate) async fn succeed(part: &Part<'_>, ids: &[&str]) -> String {
    let ended: Vec<[&str; 4]> = ids.iter().map(|id| [*id, "1", "succeeded", ""]).collect();
    part.settle(T, &ended).await
}

pub(crate) async fn fan(part: &Part<'_>) -> BTreeMap<String, String> {
    part.state()
        .await
        .hashes
        .remove(&format!("fan:{ROOT}"))
        .unwrap_or_default()
}
