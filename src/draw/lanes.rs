//! Lanes of the lines between blocks: each output has one line that runs down beside the blocks as
//! far as its last reader.

use super::{Picture, Role};

/// The line of a block's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    /// The block whose output it carries.
    pub(super) source: usize,
    /// Its place beside the blocks; 0 is next to them.
    pub(super) number: usize,
    /// Blocks and inputs in them that read it.
    pub(super) readers: Vec<Reader>,
}

/// An input that reads a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    /// The block.
    pub(super) block: usize,
    /// The node in it.
    pub(super) node: usize,
    /// Whether it reads one step later.
    pub(super) delayed: bool,
}

/// A lane for every output that is read: the nearest one that is free as far as it runs. A lane is
/// taken from the block behind its source (or its first reader, if that comes earlier) to its last
/// reader.
pub(super) fn lanes(picture: &Picture) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = Vec::new();
    let mut taken: Vec<Vec<[usize; 2]>> = Vec::new();
    for source in 0..picture.blocks.len() {
        let readers = readers(picture, source);
        let blocks = || readers.iter().map(|r| r.block);
        let Some(last) = blocks().max() else { continue };
        let first = blocks().min().unwrap_or(last).min(source + 1);
        let span = [first, last.max(source + 1)];
        let apart = |other: &[usize; 2]| other[1] < span[0] || span[1] < other[0];
        let free = taken.iter().position(|spans| spans.iter().all(apart));
        let number = free.unwrap_or(taken.len());
        if number == taken.len() {
            taken.push(Vec::new());
        }
        taken[number].push(span);
        lanes.push(Lane { source, number, readers });
    }
    lanes
}

fn readers(picture: &Picture, source: usize) -> Vec<Reader> {
    let mut readers = Vec::new();
    for (block, entry) in picture.blocks.iter().enumerate() {
        for (node, entry) in entry.nodes.iter().enumerate() {
            match entry.role {
                Role::Input { block: read, delayed } if read == source => {
                    readers.push(Reader { block, node, delayed });
                }
                Role::Input { .. } | Role::State | Role::Output => {}
            }
        }
    }
    readers
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::super::{Node, Role};
    use super::lanes;

    #[test]
    fn lines_that_run_side_by_side_have_lanes_of_their_own() {
        let mut picture = sample();
        let found = lanes(&picture);
        // Only the stem is read.
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].readers.len(), 4);

        let reads = |block| Node {
            label: "x".to_owned(),
            detail: String::new(),
            role: Role::Input { block, delayed: false },
        };
        picture.blocks[2].nodes[1] = reads(1);
        let mut last = picture.blocks[0].clone();
        last.nodes = vec![reads(2)];
        picture.blocks.push(last);
        let numbers: Vec<_> = lanes(&picture).iter().map(|l| (l.source, l.number)).collect();
        assert_eq!(numbers, [(0, 0), (1, 1), (2, 0)]);
    }
}
