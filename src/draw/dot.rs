//! A picture as DOT: one cluster per block, for Graphviz.

use super::{Block, EdgeKind, Picture, Role};
use std::fmt::Write as _;

/// The graph in the DOT language.
pub(crate) fn dot(picture: &Picture) -> String {
    let mut text = String::new();
    let facts = std::iter::once(&picture.title).chain(&picture.facts);
    let facts: Vec<String> = facts.map(|f| quoted(f)).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "digraph \"{}\" {{", quoted(&picture.title));
    let _ = writeln!(
        text,
        "  graph [label=\"{}\", labelloc=t, rankdir=LR, fontname=\"Helvetica\"];",
        facts.join("\\n")
    );
    text.push_str("  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=10];\n");
    text.push_str("  edge [fontname=\"Helvetica\", fontsize=9];\n");
    for (index, block) in picture.blocks.iter().enumerate() {
        cluster(&mut text, index, block);
    }
    for (index, block) in picture.blocks.iter().enumerate() {
        for (node, entry) in block.nodes.iter().enumerate() {
            let Role::Input { block: source, delayed } = entry.role else { continue };
            let style = if delayed {
                ", style=dashed, constraint=false, label=\"1 step later\""
            } else {
                ""
            };
            let source = output(source, &picture.blocks[source]);
            let _ = writeln!(
                text,
                "  {source} -> b{index}n{node} [color=\"#606060\", penwidth=2{style}];"
            );
        }
    }
    text.push_str("}\n");
    text
}

/// The node that readers of a block are joined to.
fn output(index: usize, block: &Block) -> String {
    format!("b{index}n{}", block.nodes.len().saturating_sub(1))
}

fn cluster(text: &mut String, index: usize, block: &Block) {
    let _ = writeln!(text, "  subgraph cluster_{index} {{");
    let mut label = format!("{}: {}", quoted(&block.name), quoted(&block.title));
    if !block.genes.is_empty() {
        let genes: Vec<String> = block
            .genes
            .iter()
            .map(|g| {
                let value = quoted(&g.value);
                if g.neutral { format!("({value})") } else { value }
            })
            .collect();
        let _ = write!(label, "\\ngenes {}", genes.join(" "));
    }
    let _ = writeln!(text, "    label=\"{label}\"; color=\"#808080\"; fontsize=11;");
    if block.nodes.is_empty() {
        let _ = writeln!(text, "    b{index}n0 [label=\"{}\"];", quoted(&block.name));
    }
    for (node, entry) in block.nodes.iter().enumerate() {
        let fill = match entry.role {
            Role::Input { .. } => ", style=\"rounded,filled\", fillcolor=\"#e8eef7\"",
            Role::State => "",
            Role::Output => ", style=\"rounded,filled\", fillcolor=\"#f0f0f0\"",
        };
        let (label, detail) = (quoted(&entry.label), quoted(&entry.detail));
        let _ = writeln!(text, "    b{index}n{node} [label=\"{label}\\n{detail}\"{fill}];");
    }
    for edge in &block.edges {
        let mut label = format!("{}{}", edge.kind.sign(), quoted(&edge.label));
        if !edge.note.is_empty() {
            let _ = write!(label, " {}", quoted(&edge.note));
        }
        let head = if edge.kind == EdgeKind::Inhibitory { ", arrowhead=tee" } else { "" };
        let back = if edge.feedback { ", style=dashed, constraint=false" } else { "" };
        let (from, to, color) = (edge.from, edge.to, edge.kind.color());
        let _ = writeln!(
            text,
            "    b{index}n{from} -> b{index}n{to} [label=\"{label}\", color=\"{color}\", \
             fontcolor=\"{color}\"{head}{back}];"
        );
    }
    text.push_str("  }\n");
}

/// Text inside a quoted string.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::dot;

    #[test]
    fn every_block_is_a_cluster_and_every_edge_a_line() {
        let text = dot(&sample());
        for index in 0..3 {
            assert!(text.contains(&format!("subgraph cluster_{index} {{")), "{text}");
        }
        assert_eq!(text.matches(" -> ").count(), 2 * 9 + 4);
        assert!(text.contains("b1n4 -> b1n2 [label=\"+5x5\""), "{text}");
        assert!(text.contains("genes 1 (1)"), "{text}");
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
