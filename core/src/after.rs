//! Jobs that wait for jobs must not wait for themselves.

use std::collections::BTreeMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::error::Violation;
use crate::id::JobName;

/// Checks that no job is, through any number of `after` triggers, its own upstream.
///
/// # Errors
/// A violation that names a whole cycle, `a -> b -> a`.
pub fn check_cycles(edges: impl IntoIterator<Item = (JobName, JobName)>) -> Result<(), Violation> {
    let mut graph: DiGraph<JobName, ()> = DiGraph::new();
    let mut nodes: BTreeMap<JobName, NodeIndex> = BTreeMap::new();
    for (upstream, follower) in edges {
        let mut node = |job: JobName| {
            *nodes
                .entry(job.clone())
                .or_insert_with(|| graph.add_node(job))
        };
        let (from, to) = (node(upstream), node(follower));
        graph.update_edge(from, to, ());
    }
    for component in tarjan_scc(&graph) {
        if let Some(cycle) = cycle_in(&graph, &component) {
            let names: Vec<&str> = cycle
                .iter()
                .filter_map(|node| graph.node_weight(*node))
                .map(JobName::as_str)
                .collect();
            let rule = "does not lead back to itself through `after` triggers";
            let mut violation = Violation::new("trigger.after", rule, "");
            // The whole cycle, however long: it is what the reader needs.
            violation.given = names.join(" -> ");
            return Err(violation);
        }
    }
    Ok(())
}

/// A closed walk inside a strongly connected component; `None` when it is a single job without an edge to itself.
fn cycle_in(graph: &DiGraph<JobName, ()>, component: &[NodeIndex]) -> Option<Vec<NodeIndex>> {
    let start = *component
        .iter()
        .min_by_key(|node| graph.node_weight(**node))?;
    if component.len() == 1 {
        return graph
            .contains_edge(start, start)
            .then(|| vec![start, start]);
    }
    // Every member has a successor inside, so following one of them must come back to a member seen before.
    let mut walk = vec![start];
    loop {
        let last = *walk.last()?;
        let next = graph
            .neighbors(last)
            .filter(|node| component.contains(node))
            .min_by_key(|node| graph.node_weight(*node))?;
        if let Some(seen) = walk.iter().position(|node| *node == next) {
            walk.push(next);
            return Some(walk.split_off(seen));
        }
        walk.push(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(upstream: &str, follower: &str) -> (JobName, JobName) {
        (
            JobName::new(upstream).unwrap(),
            JobName::new(follower).unwrap(),
        )
    }

    #[test]
    fn a_chain_and_a_diamond_are_fine() {
        assert_eq!(check_cycles([]), Ok(()));
        let diamond = [
            edge("a", "b"),
            edge("a", "c"),
            edge("b", "d"),
            edge("c", "d"),
        ];
        assert_eq!(check_cycles(diamond), Ok(()));
    }

    #[test]
    fn a_cycle_is_named_as_a_whole() {
        let edges = [
            edge("x", "a"),
            edge("a", "b"),
            edge("b", "c"),
            edge("c", "a"),
            edge("c", "y"),
        ];
        let violation = check_cycles(edges).unwrap_err();
        assert_eq!(
            violation.given,
            "default/a -> default/b -> default/c -> default/a"
        );
    }

    #[test]
    fn a_job_that_follows_itself_is_a_cycle() {
        let violation = check_cycles([edge("a", "a")]).unwrap_err();
        assert_eq!(violation.given, "default/a -> default/a");
    }
}
