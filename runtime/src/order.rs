//! Order of evaluation within one step.

use std::collections::BTreeSet;

/// Topological order of `0..n` under `edges` (source, target), the lowest index first wherever
/// there is a choice.
///
/// # Errors
/// The lowest index that lies on or behind a cycle.
pub(crate) fn topological(
    n: usize,
    edges: impl Iterator<Item = (usize, usize)>,
) -> Result<Vec<usize>, usize> {
    let mut missing = vec![0_usize; n];
    let mut next = vec![Vec::new(); n];
    for (source, target) in edges {
        missing[target] += 1;
        next[source].push(target);
    }
    let mut ready: BTreeSet<usize> = (0..n).filter(|&i| missing[i] == 0).collect();
    let mut order = Vec::with_capacity(n);
    while let Some(i) = ready.pop_first() {
        order.push(i);
        for &j in &next[i] {
            missing[j] -= 1;
            if missing[j] == 0 {
                ready.insert(j);
            }
        }
    }
    match missing.iter().position(|&m| m > 0) {
        Some(i) => Err(i),
        None => Ok(order),
    }
}

#[cfg(test)]
mod tests {
    use super::topological;

    #[test]
    fn order_respects_edges_and_prefers_low_indices() {
        let edges = [(3, 0), (0, 1), (3, 1)];
        assert_eq!(topological(4, edges.into_iter()), Ok(vec![2, 3, 0, 1]));
        assert_eq!(topological(3, [(1, 2), (2, 1)].into_iter()), Err(1));
        assert_eq!(topological(1, [(0, 0)].into_iter()), Err(0));
    }
}
