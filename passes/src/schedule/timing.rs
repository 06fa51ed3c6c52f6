//! The period and the latencies: a system of difference constraints.
//!
//! A projection a→b of logical delay d must take at least one hardware step:
//! `P·d + ℓ_b − ℓ_a ≥ 1`. For a given P this is a longest-path problem; it has a solution unless
//! some cycle has more hops than `P · Σd` (Leiserson and Saxe, "Retiming synchronous circuitry",
//! 1991). The smallest P is the iteration bound of the slowest loop, rounded up; the smallest
//! latencies for it are the longest paths.

/// A delay constraint between two populations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    /// Index of the source population.
    pub source: usize,
    /// Index of the target population.
    pub target: usize,
    /// Logical delay.
    pub delay: u32,
}

/// A solution of the constraints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    /// Hardware steps per logical step.
    pub period: u32,
    /// Latency of each population, the smallest possible.
    pub latency: Vec<u32>,
    /// A loop that does not fit a smaller period, as population indices in order; empty if P = 1.
    pub critical: Vec<usize>,
}

/// Solves the constraints of `n` populations.
///
/// The zero-delay hops must be acyclic, so that every cycle holds a delay and P ≤ n suffices.
/// Complexity: O(n · hops · log n).
pub(crate) fn solve(n: usize, hops: &[Hop]) -> Timing {
    let (mut low, mut high) = (1_i64, i64::try_from(n.max(1)).unwrap_or(i64::MAX));
    while low < high {
        let middle = low + (high - low) / 2;
        match longest_paths(n, hops, middle) {
            Ok(_) => high = middle,
            Err(_) => low = middle + 1,
        }
    }
    let critical =
        if low > 1 { longest_paths(n, hops, low - 1).err().unwrap_or_default() } else { vec![] };
    let latency = longest_paths(n, hops, low)
        .expect("a cycle of at most n hops holds a delay, so P = n is always enough");
    let narrow = |x: i64| u32::try_from(x).expect("latencies are shorter than the longest path");
    Timing { period: narrow(low), latency: latency.into_iter().map(narrow).collect(), critical }
}

/// Longest paths from the source set under edge lengths `1 − P·d`, at least 0 everywhere.
/// `Err` holds a cycle of positive length.
fn longest_paths(n: usize, hops: &[Hop], period: i64) -> Result<Vec<i64>, Vec<usize>> {
    let mut latency = vec![0_i64; n];
    let mut before = vec![usize::MAX; n];
    for round in 0..=n {
        let mut last = None;
        for hop in hops {
            let at_least = latency[hop.source] + 1 - period * i64::from(hop.delay);
            if latency[hop.target] < at_least {
                latency[hop.target] = at_least;
                before[hop.target] = hop.source;
                last = Some(hop.target);
            }
        }
        match last {
            None => return Ok(latency),
            Some(node) if round == n => return Err(cycle_through(&before, node)),
            Some(_) => {}
        }
    }
    Ok(latency)
}

/// Follows predecessors from a node that a positive cycle reaches, until the cycle closes.
fn cycle_through(before: &[usize], start: usize) -> Vec<usize> {
    let mut node = start;
    // After n steps back the walk is on the cycle itself.
    for _ in 0..before.len() {
        node = before[node];
    }
    let mut cycle = vec![node];
    let mut next = before[node];
    while next != node {
        cycle.push(next);
        next = before[next];
    }
    cycle.reverse();
    cycle
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hop(source: usize, target: usize, delay: u32) -> Hop {
        Hop { source, target, delay }
    }

    #[test]
    fn a_chain_takes_one_step_per_hop() {
        let t = solve(4, &[hop(0, 1, 0), hop(1, 2, 0), hop(2, 3, 0), hop(0, 3, 0)]);
        assert_eq!((t.period, t.latency), (1, vec![0, 1, 2, 3]));
    }

    #[test]
    fn explicit_delays_need_nothing() {
        let t = solve(3, &[hop(0, 1, 1), hop(1, 1, 2), hop(1, 2, 1)]);
        assert_eq!((t.period, t.latency), (1, vec![0, 0, 0]));
    }

    #[test]
    fn a_loop_of_two_hops_with_one_delay_needs_two_steps() {
        let t = solve(3, &[hop(0, 1, 0), hop(1, 2, 0), hop(2, 1, 1)]);
        assert_eq!((t.period, t.latency), (2, vec![0, 1, 2]));
        let mut loop_ = t.critical;
        loop_.sort_unstable();
        assert_eq!(loop_, [1, 2]);
    }

    proptest! {
        /// The solution satisfies every constraint, latencies are tight, and P is minimal.
        #[test]
        fn solutions_are_feasible_and_minimal(
            n in 1_usize..8,
            raw in proptest::collection::vec((0_usize..8, 0_usize..8, 0_u32..3), 0..20),
        ) {
            // Zero-delay hops only go upward, which keeps them acyclic.
            let hops: Vec<Hop> = raw
                .into_iter()
                .map(|(a, b, d)| hop(a % n, b % n, d))
                .map(|h| if h.delay == 0 && h.source >= h.target { Hop { delay: 1, ..h } } else { h })
                .collect();
            let t = solve(n, &hops);
            let l = |i: usize| i64::from(t.latency[i]);
            for h in &hops {
                prop_assert!(i64::from(t.period) * i64::from(h.delay) + l(h.target) - l(h.source) >= 1);
            }
            for b in 0..n {
                let tight = hops.iter().any(|h| {
                    h.target == b && i64::from(t.period) * i64::from(h.delay) + l(b) - l(h.source) == 1
                });
                prop_assert!(t.latency[b] == 0 || tight);
            }
            if t.period > 1 {
                prop_assert!(longest_paths(n, &hops, i64::from(t.period) - 1).is_err());
                // The reported loop really has more hops than (P − 1)·delays.
                let c = &t.critical;
                let delays: i64 = (0..c.len())
                    .map(|i| {
                        let (a, b) = (c[i], c[(i + 1) % c.len()]);
                        hops.iter()
                            .filter(|h| h.source == a && h.target == b)
                            .map(|h| i64::from(h.delay))
                            .min()
                            .expect("the loop follows hops")
                    })
                    .sum();
                let hops = i64::try_from(c.len()).expect("small");
                prop_assert!(hops > delays * (i64::from(t.period) - 1));
            }
        }
    }
}
