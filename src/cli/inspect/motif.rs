//! Motif genomes: the genotype of every cell next to the graph that it unfolds to.

use super::super::table::Table;
use super::picture::picture;
use crate::alike::Distinct;
use crate::describe::shape_text;
use crate::draw::{Block, Picture};
use serde::Serialize;
use snnc_frontend::search::{Cell, Gene, Operation, Semantics, Sign, StateRef, Unfolding};
use std::fmt::Write as _;

/// A motif genome.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct MotifReport {
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    family: &'static str,
    /// Weights, biases, scales and shifts.
    parameters: u64,
    populations: usize,
    neurons: u64,
    /// What is left where populations that always fire alike are one; only where there are weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<Distinct>,
    /// Stem, cells and readout; an edge names states by their position in `nodes`.
    blocks: Vec<Block>,
    /// File that the graph was written to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) graph: Option<String>,
}

/// A motif genome as it is inspected.
pub(super) struct Motif<'a> {
    /// Name of the network.
    pub(super) name: &'a str,
    /// Hash of the source, if it was read as one.
    pub(super) hash: Option<&'a str>,
    /// What it unfolds to.
    pub(super) unfolding: &'a Unfolding,
    /// What is left of its populations where those that always fire alike are one, if there are
    /// weights.
    pub(super) merged: Option<Distinct>,
}

impl Motif<'_> {
    /// The picture of the network.
    pub(super) fn picture(&self) -> Picture {
        picture(self.name, self.unfolding, self.facts())
    }

    /// The report, and the picture's blocks in it.
    pub(super) fn report(&self) -> MotifReport {
        let totals = &self.unfolding.totals;
        MotifReport {
            network: self.name.to_owned(),
            blake3: self.hash.map(str::to_owned),
            family: self.unfolding.family.name(),
            parameters: totals.parameters,
            populations: totals.populations,
            neurons: totals.neurons,
            merged: self.merged,
            blocks: self.picture().blocks,
            graph: None,
        }
    }

    /// Totals, one per line.
    fn facts(&self) -> Vec<String> {
        let unfolding = self.unfolding;
        let totals = &unfolding.totals;
        let mut facts = vec![
            format!(
                "{}, {} cells of {} inputs, {} channels, neurons `{}`",
                unfolding.family.name(),
                unfolding.cells.len(),
                unfolding.arity,
                unfolding.init_channels,
                unfolding.neuron
            ),
            format!(
                "{} parameters, {} populations, {} neurons",
                totals.parameters, totals.populations, totals.neurons
            ),
        ];
        if let Some(Distinct { populations, neurons, parts }) = self.merged {
            facts.push(format!(
                "merged where they always fire alike: {populations} populations, {neurons} neurons \
                 ({parts} populations split at concatenations)"
            ));
        }
        facts
    }

    /// The genotype of every cell next to its graph.
    pub(super) fn text(&self) -> String {
        let unfolding = self.unfolding;
        let mut text = format!("genome `{}`\n{}\n", self.name, self.facts().join("\n"));
        let [_, height, width] = unfolding.input;
        let stem = [3 * unfolding.init_channels, height, width];
        let (input, output) = (shape_text(&unfolding.input), shape_text(&stem));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\nstem ({}): {input} -> {output}", unfolding.stem.name());
        for cell in &unfolding.cells {
            let (name, kind, output) = (cell.index, cell.kind(), shape_text(&cell.output));
            let _ =
                writeln!(text, "\ncells.{name}: {kind}, {} channels -> {output}", cell.channels);
            text.push_str(&beside(&genes(&cell.genes), &graph(cell)));
        }
        let last = unfolding.cells.last().map_or(stem, |cell| cell.output);
        let _ = writeln!(text, "\nclassifier: {} -> {}", shape_text(&last), unfolding.classes);
        unfolding.links.iter().for_each(|link| {
            let _ = writeln!(text, "{link}");
        });
        text.push_str(&genes(&unfolding.genes));
        text.push_str("\n+3x3(0): convolution of state 0, only what is above 0; -3x3(0): below\n");
        if unfolding.cells.iter().flat_map(|c| &c.genes).any(|g| g.neutral) {
            text.push_str("(v): the network is the same for every value of this gene\n");
        }
        text
    }
}

/// Genes line by line, the values of neutral ones in parentheses; neighbors that are neutral for the
/// same reason share a line.
fn genes(genes: &[Gene]) -> String {
    if genes.is_empty() {
        return String::new();
    }
    let mut table = Table::new(&["gene", "value", "meaning"]);
    for run in genes.chunk_by(|a, b| a.neutral && b.neutral && a.meaning == b.meaning) {
        let [first, .., last] = run else {
            let gene = &run[0];
            let value = gene.value.to_string();
            let value = if gene.neutral { format!("({value})") } else { value };
            table.row([gene.position.to_string(), value, gene.meaning.clone()]);
            continue;
        };
        let values: Vec<String> = run.iter().map(|gene| gene.value.to_string()).collect();
        table.row([
            format!("{}-{}", first.position, last.position),
            format!("({})", values.join(" ")),
            first.meaning.clone(),
        ]);
    }
    table.render(2)
}

/// The graph of a cell line by line: what it reads, its nodes, feedback, output.
fn graph(cell: &Cell) -> String {
    let mut lines = String::new();
    for (state, input) in cell.inputs.iter().enumerate() {
        let from = input.cell.map_or_else(|| "stem".to_owned(), |c| format!("cells.{c}"));
        let state = if cell.graph.is_some() { state.to_string() } else { "out".to_owned() };
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{state} = {}({from})", input.preprocess.name());
    }
    let Some(graph) = &cell.graph else { return lines };
    for node in &graph.nodes {
        let terms = node.edges.iter().filter_map(|e| term(e.operation, e.source));
        let terms = terms.collect::<Vec<_>>().join(" ");
        let _ = writeln!(lines, "{} = {}", node.state, if terms.is_empty() { "0" } else { &terms });
        for back in graph.feedback.iter().filter(|b| b.after == node.state) {
            let source = StateRef { state: back.after, version: 0 };
            let Some(term) = term(back.operation, source) else { continue };
            let _ = match graph.semantics {
                Semantics::SameStep => {
                    let before = StateRef { version: back.to.version.saturating_sub(1), ..back.to };
                    writeln!(lines, "{} = {before} {term}   (feedback)", back.to)
                }
                Semantics::Delay1 => {
                    writeln!(lines, "{} += {term} of the step before   (feedback)", back.to)
                }
                Semantics::None => Ok(()),
            };
        }
    }
    let parts: Vec<String> = graph.concat.iter().map(StateRef::to_string).collect();
    let _ = writeln!(lines, "out = [{}]", parts.join(", "));
    lines
}

/// An operation on a state: `+3x3(0)` passes what is above 0, `-3x3(0)` what is below, `3x3(0)` all.
/// `None` for an edge that is zero.
fn term(operation: Operation, source: StateRef) -> Option<String> {
    let (sign, name) = match operation {
        Operation::Zero => return None,
        Operation::Conv { size, sign } => (sign, format!("{size}x{size}")),
        Operation::AvgPool { sign } => (sign, "avg3x3".to_owned()),
        Operation::Identity { sign } => (sign, "id".to_owned()),
        Operation::Mlp { sign } => (sign, "mlp".to_owned()),
    };
    let sign = match sign {
        Sign::Excitatory => "+",
        Sign::Inhibitory => "-",
        Sign::Any => "",
    };
    Some(format!("{sign}{name}({source})"))
}

/// Two texts next to each other.
fn beside(left: &str, right: &str) -> String {
    let width = left.lines().map(|l| l.chars().count()).max().unwrap_or(0);
    let (mut left, mut right) = (left.lines(), right.lines());
    let mut text = String::new();
    loop {
        let (l, r) = (left.next(), right.next());
        if l.is_none() && r.is_none() {
            return text;
        }
        let line = format!("{:width$}  {}", l.unwrap_or(""), r.unwrap_or(""));
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn texts_stand_next_to_each_other() {
        assert_eq!(beside("a\nbcd\n", "x\ny\nz\n"), "a    x\nbcd  y\n     z\n");
        assert_eq!(beside("", "x\n"), "  x\n");
    }
}
