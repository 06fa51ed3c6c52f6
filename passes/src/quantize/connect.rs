//! Which members have scales in fixed ratios.
//!
//! Exact weights on messages join two members. So do general ones where they close a circle: if scales
//! of group A follow from those of B and the other way round, neither can be chosen freely.

use super::member::Member;

/// Group of each member, numbered in order of their first member.
pub(super) fn connect(members: &[Member<'_>]) -> Vec<usize> {
    let mut sets = Sets((0..members.len()).collect());
    let mut loose = Vec::new();
    for (index, member) in members.iter().enumerate() {
        for message in &member.messages {
            if message.fraction.is_some() {
                sets.join(index, message.from);
            } else {
                loose.push((message.from, index));
            }
        }
    }
    // Joining the ends of a circle may close another one.
    loop {
        let edges: Vec<_> = loose.iter().map(|&(a, b)| (sets.root(a), sets.root(b))).collect();
        let closes = |&&(a, b): &&(usize, usize)| a != b && reaches(&edges, b, a);
        let Some(&(a, b)) = edges.iter().find(closes) else { break };
        sets.join(a, b);
    }
    let mut number = vec![None; members.len()];
    let mut next = 0;
    let numbered = (0..members.len()).map(|index| {
        *number[sets.root(index)].get_or_insert_with(|| {
            next += 1;
            next - 1
        })
    });
    numbered.collect()
}

/// Disjoint sets; each entry points toward the smallest member of its set.
struct Sets(Vec<usize>);

impl Sets {
    fn root(&self, mut index: usize) -> usize {
        while self.0[index] != index {
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

/// Whether `edges` lead from `start` to `end`.
fn reaches(edges: &[(usize, usize)], start: usize, end: usize) -> bool {
    let mut seen = vec![start];
    let mut next = 0;
    while let Some(&from) = seen.get(next) {
        next += 1;
        for &(a, b) in edges {
            if a == from && !seen.contains(&b) {
                seen.push(b);
            }
        }
    }
    seen.contains(&end)
}
