//! Drawings: unfolded motif genomes as DOT for Graphviz and as SVG laid out here, and charts as SVG.
//!
//! Drawings of genomes are made from one [`Picture`]: blocks (stem, cells, readout) that read the outputs of earlier
//! blocks, and inside a block the graph of its states. Nothing here knows what a genome is.

mod chart;
mod dot;
mod lanes;
mod layout;
mod order;
mod svg;

pub(crate) use chart::{Chart, Group, Series, begin, chart};
pub(crate) use dot::dot;
use serde::Serialize;
pub(crate) use svg::svg;

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Picture {
    /// Name of the network.
    pub(crate) title: String,
    /// Totals, one fact per line.
    pub(crate) facts: Vec<String>,
    /// Blocks in the order in which they are computed.
    pub(crate) blocks: Vec<Block>,
}

/// A part of the network with one output: stem, cell, readout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Block {
    /// Its path in the network, such as `cells.0`.
    pub(crate) name: String,
    /// What it is, such as `motif m4, 48 channels`.
    pub(crate) title: String,
    /// The part of the genotype that makes it.
    pub(crate) genes: Vec<Gene>,
    /// Its states, in an order in which every edge but feedback goes forward.
    pub(crate) nodes: Vec<Node>,
    /// Its operations.
    pub(crate) edges: Vec<Edge>,
}

/// One position of the genotype.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Gene {
    /// Position in the whole genotype, from 0.
    pub(crate) position: usize,
    /// Its value, as it is written in the genotype.
    pub(crate) value: String,
    /// What it decides.
    pub(crate) meaning: String,
    /// Whether the network is the same whatever its value is.
    pub(crate) neutral: bool,
}

/// A state of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Node {
    /// What the edges call it.
    pub(crate) label: String,
    /// More about it, such as its shape.
    pub(crate) detail: String,
    /// Where its value comes from.
    pub(crate) role: Role,
}

/// Where the value of a state comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// The output of another block, by index; of this step, or of the step before.
    Input {
        /// The block read.
        block: usize,
        /// Whether it is read one step later.
        delayed: bool,
    },
    /// The sum of the edges into it.
    State,
    /// What other blocks read; the last node.
    Output,
}

/// An operation from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Edge {
    /// Index of the state read.
    pub(crate) from: usize,
    /// Index of the state that it is added to.
    pub(crate) to: usize,
    /// Its sign.
    pub(crate) kind: EdgeKind,
    /// Whether it goes back to a state that was computed before.
    pub(crate) feedback: bool,
    /// The operation, such as `3x3`.
    pub(crate) label: String,
    /// What stands behind it in small letters, such as the gene that chose it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

/// Kinds of edges, which have a color each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EdgeKind {
    /// Only what is above 0 passes.
    Excitatory,
    /// Only what is below 0 passes.
    Inhibitory,
    /// An operation whose result passes whole.
    Unsigned,
    /// The state as it is.
    Identity,
    /// The state becomes a part of the output.
    Part,
}

impl EdgeKind {
    /// All kinds, in the order of the legend.
    pub(crate) const ALL: [Self; 5] =
        [Self::Excitatory, Self::Inhibitory, Self::Unsigned, Self::Identity, Self::Part];

    /// Its color.
    pub(crate) const fn color(self) -> &'static str {
        match self {
            Self::Excitatory => "#1b7837",
            Self::Inhibitory => "#c51b2d",
            Self::Unsigned => "#5e4fa2",
            Self::Identity => "#2166ac",
            Self::Part => "#a0a0a0",
        }
    }

    /// What the legend says.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Excitatory => "excitatory",
            Self::Inhibitory => "inhibitory",
            Self::Unsigned => "unsigned",
            Self::Identity => "identity",
            Self::Part => "part of the output",
        }
    }

    /// What stands before the operation.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Excitatory => "+",
            Self::Inhibitory => "\u{2212}",
            Self::Unsigned | Self::Identity | Self::Part => "",
        }
    }
}

impl Picture {
    /// Kinds of edges that occur, in the order of the legend.
    fn kinds(&self) -> impl Iterator<Item = EdgeKind> {
        let occurs = |kind: &EdgeKind| {
            let mut edges = self.blocks.iter().flat_map(|b| &b.edges);
            edges.any(|e| e.kind == *kind)
        };
        EdgeKind::ALL.into_iter().filter(occurs)
    }

    /// Whether an edge goes back.
    fn has_feedback(&self) -> bool {
        self.blocks.iter().flat_map(|b| &b.edges).any(|e| e.feedback)
    }
}

/// Text with the characters of markup replaced.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks with every kind of node and edge.
    pub(super) fn sample() -> Picture {
        let node =
            |label: &str, role| Node { label: label.to_owned(), detail: "4x8x8".to_owned(), role };
        let edge = |from, to, kind, label: &str| Edge {
            from,
            to,
            kind,
            feedback: from > to,
            label: label.to_owned(),
            note: String::new(),
        };
        let input = |block| Role::Input { block, delayed: false };
        let gene = |position, neutral| Gene {
            position,
            value: "1".to_owned(),
            meaning: "5x5 \"wide\"".to_owned(),
            neutral,
        };
        let stem =
            Block { name: "stem".to_owned(), title: "conv & BN".to_owned(), ..Block::default() };
        let cell = Block {
            name: "cells.0".to_owned(),
            title: "motif <m3>".to_owned(),
            genes: vec![gene(0, false), gene(1, true)],
            nodes: vec![
                node("0", input(0)),
                node("1", input(0)),
                node("2", Role::State),
                node("3", Role::State),
                node("4", Role::State),
                node("out", Role::Output),
            ],
            edges: vec![
                edge(0, 2, EdgeKind::Excitatory, "3x3"),
                edge(1, 2, EdgeKind::Inhibitory, "5x5"),
                edge(2, 3, EdgeKind::Unsigned, "pool"),
                edge(0, 4, EdgeKind::Identity, "id"),
                edge(3, 4, EdgeKind::Excitatory, "3x3"),
                edge(3, 4, EdgeKind::Inhibitory, "3x3"),
                edge(4, 2, EdgeKind::Excitatory, "5x5"),
                edge(2, 5, EdgeKind::Part, ""),
                edge(4, 5, EdgeKind::Part, ""),
            ],
        };
        Picture {
            title: "a > b".to_owned(),
            facts: vec!["1 parameter".to_owned()],
            blocks: vec![stem, cell.clone(), Block { name: "cells.1".to_owned(), ..cell }],
        }
    }

    #[test]
    fn only_what_occurs_is_in_the_legend() {
        let mut picture = sample();
        assert_eq!(picture.kinds().count(), 5);
        assert!(picture.has_feedback());
        for block in &mut picture.blocks {
            block.edges.retain(|e| e.kind == EdgeKind::Part);
        }
        assert_eq!(picture.kinds().collect::<Vec<_>>(), [EdgeKind::Part]);
        assert!(!picture.has_feedback());
    }
}
