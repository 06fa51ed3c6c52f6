//! A picture as SVG: blocks below each other, the genotype over the graph that it unfolds to.

use super::lanes::{Lane, lanes};
use super::layout::{Layout, Rect, label_of, rounded, text_width};
use super::{Block, EdgeKind, Gene, Picture, Role, escaped};
use std::fmt::Write as _;

/// Space around everything.
const MARGIN: f64 = 16.0;
/// Space around the graph in its block.
const INSIDE: f64 = 14.0;
/// Distance of two lanes.
const LANE: f64 = 13.0;
/// Space between blocks, through which an output runs to its lane.
const BETWEEN: f64 = 30.0;
/// Height of the line that says what a block is.
const TITLE: f64 = 22.0;
/// Height of a row of genes with their positions.
const GENES: f64 = 34.0;
/// Height of the cell of a gene.
const GENE: f64 = 18.0;
/// Widest row of genes.
const WIDEST_ROW: f64 = 700.0;
/// Height of a line of text at the top.
const TEXT: f64 = 16.0;
/// Colors of the lines between blocks, in turn.
const LANE_COLORS: [&str; 4] = ["#4d4d4d", "#8c510a", "#01665e", "#762a83"];

/// A block in its place.
struct Placed<'p> {
    block: &'p Block,
    layout: Layout,
    /// Its frame.
    frame: Rect,
    /// Rows of genes.
    genes: Vec<&'p [Gene]>,
}

impl Placed<'_> {
    /// Where (0, 0) of its graph lies.
    fn origin(&self) -> [f64; 2] {
        #[expect(clippy::cast_precision_loss, reason = "few rows")]
        let rows = self.genes.len() as f64;
        [self.frame.x + INSIDE, self.frame.y + TITLE + rows * GENES + 8.0]
    }

    /// The box of a node.
    fn node(&self, node: usize) -> Rect {
        let [x, y] = self.origin();
        let place = self.layout.boxes.get(node).copied().unwrap_or_default();
        Rect { x: place.x + x, y: place.y + y, ..place }
    }

    /// Where a line from another block meets a node.
    fn entry(&self, node: usize) -> [f64; 2] {
        let height = self.layout.entries.get(node).copied().unwrap_or_default();
        [self.node(node).x, self.origin()[1] + height]
    }

    /// Where its output leaves it.
    fn exit(&self) -> [f64; 2] {
        match self.block.nodes.iter().rposition(|n| n.role == Role::Output) {
            Some(node) => {
                let place = self.node(node);
                [place.x + place.width / 2.0, place.y + place.height]
            }
            None => [self.frame.x + 40.0, self.frame.y + self.frame.height],
        }
    }
}

/// The picture as a document.
pub(crate) fn svg(picture: &Picture) -> String {
    let lanes = lanes(picture);
    #[expect(clippy::cast_precision_loss, reason = "few lanes")]
    let gutter = lanes.iter().map(|l| l.number + 1).max().unwrap_or(0) as f64 * LANE + 12.0;
    #[expect(clippy::cast_precision_loss, reason = "few facts")]
    let top = MARGIN + TEXT * (picture.facts.len() as f64 + 3.0) + 10.0;
    let placed = placed(picture, MARGIN + gutter, top);
    let right =
        placed.iter().map(|p| p.frame.x + p.frame.width).fold(legend_width(picture), f64::max);
    let width = right + MARGIN;
    let height = placed.last().map_or(top, |p| p.frame.y + p.frame.height) + MARGIN;

    let mut text = head(width, height);
    header(&mut text, picture);
    for block in &placed {
        frame(&mut text, block);
    }
    for (lane, color) in lanes.iter().zip(LANE_COLORS.into_iter().cycle()) {
        line(&mut text, lane, &placed, color);
    }
    for block in &placed {
        graph(&mut text, block);
    }
    text.push_str("</svg>\n");
    text
}

fn head(width: f64, height: f64) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', \
         sans-serif\" font-size=\"11\">"
    );
    text.push_str("<defs>\n");
    for kind in EdgeKind::ALL {
        let shape = match kind {
            EdgeKind::Inhibitory => "M8 0L8 10",
            _ => "M1 1L9 5L1 9",
        };
        let color = kind.color();
        let _ = writeln!(
            text,
            "<marker id=\"{}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"8\" \
             markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"{shape}\" \
             fill=\"none\" stroke=\"{color}\" stroke-width=\"2\"/></marker>",
            marker(kind)
        );
    }
    text.push_str("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    text
}

const fn marker(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Excitatory => "excitatory",
        EdgeKind::Inhibitory => "inhibitory",
        EdgeKind::Unsigned => "unsigned",
        EdgeKind::Identity => "identity",
        EdgeKind::Part => "part",
    }
}

/// Places the blocks below each other.
fn placed(picture: &Picture, x: f64, top: f64) -> Vec<Placed<'_>> {
    let mut y = top;
    let place = |block| {
        let layout = Layout::of(block);
        let genes = gene_rows(&block.genes);
        let row_width = |row: &&[Gene]| row.iter().map(gene_width).sum::<f64>();
        let row = genes.iter().map(row_width).fold(0.0, f64::max);
        let title = text_width(&format!("{}  {}", block.name, block.title), 12.0);
        let graph = if block.nodes.is_empty() { 0.0 } else { layout.height + 8.0 };
        #[expect(clippy::cast_precision_loss, reason = "few rows")]
        let rows = genes.len() as f64;
        let frame = Rect {
            x,
            y,
            width: layout.width.max(row).max(title) + 2.0 * INSIDE,
            height: TITLE + rows * GENES + graph + 10.0,
        };
        y += frame.height + BETWEEN;
        Placed { block, layout, frame, genes }
    };
    picture.blocks.iter().map(place).collect()
}

fn gene_width(gene: &Gene) -> f64 {
    (text_width(&gene.value, 10.0) + 8.0)
        .max(text_width(&gene.position.to_string(), 8.0) + 5.0)
        .max(21.0)
}

/// Genes in rows that are not too wide.
fn gene_rows(genes: &[Gene]) -> Vec<&[Gene]> {
    let mut rows = Vec::new();
    let mut first = 0;
    let mut width = 0.0;
    for (i, gene) in genes.iter().enumerate() {
        width += gene_width(gene);
        if width > WIDEST_ROW && i > first {
            rows.push(&genes[first..i]);
            first = i;
            width = gene_width(gene);
        }
    }
    if first < genes.len() {
        rows.push(&genes[first..]);
    }
    rows
}

/// Title, facts and legend.
fn header(text: &mut String, picture: &Picture) {
    let mut y = MARGIN + 12.0;
    let _ = writeln!(
        text,
        "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"15\" font-weight=\"bold\">{}</text>",
        escaped(&picture.title)
    );
    for fact in &picture.facts {
        y += TEXT;
        let _ = writeln!(
            text,
            "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"#333333\">{}</text>",
            escaped(fact)
        );
    }
    y += TEXT + 8.0;
    let mut x = MARGIN;
    for entry in legend(picture) {
        let (sample, name) = match entry {
            Legend::Kind(kind) => (
                format!(
                    "<path d=\"M{x} {0}H{1}\" stroke=\"{2}\" stroke-width=\"1.6\" marker-end=\"url(#{3})\"/>",
                    y - 4.0,
                    x + 30.0,
                    kind.color(),
                    marker(kind)
                ),
                kind.meaning(),
            ),
            Legend::Feedback => (
                format!(
                    "<path d=\"M{x} {0}H{1}\" stroke=\"#444444\" stroke-width=\"1.6\" stroke-dasharray=\"5 3\"/>",
                    y - 4.0,
                    x + 30.0
                ),
                FEEDBACK,
            ),
            Legend::Neutral => (
                format!(
                    "<rect x=\"{}\" y=\"{}\" width=\"18\" height=\"14\" fill=\"#eeeeee\" stroke=\"#c8c8c8\"/>",
                    x + 8.0,
                    y - 11.0
                ),
                NEUTRAL,
            ),
        };
        let _ = writeln!(text, "{sample}<text x=\"{}\" y=\"{y}\">{name}</text>", x + 36.0);
        x += legend_entry(name);
    }
}

const FEEDBACK: &str = "feedback";
const NEUTRAL: &str = "neutral gene";

enum Legend {
    Kind(EdgeKind),
    Feedback,
    Neutral,
}

/// What the legend explains: only what occurs.
fn legend(picture: &Picture) -> impl Iterator<Item = Legend> {
    let neutral = picture.blocks.iter().flat_map(|b| &b.genes).any(|g| g.neutral);
    let kinds = picture.kinds().map(Legend::Kind);
    kinds
        .chain(picture.has_feedback().then_some(Legend::Feedback))
        .chain(neutral.then_some(Legend::Neutral))
}

fn legend_entry(name: &str) -> f64 {
    36.0 + text_width(name, 11.0) + 16.0
}

fn legend_width(picture: &Picture) -> f64 {
    let entry = |entry| match entry {
        Legend::Kind(kind) => legend_entry(kind.meaning()),
        Legend::Feedback => legend_entry(FEEDBACK),
        Legend::Neutral => legend_entry(NEUTRAL),
    };
    MARGIN + legend(picture).map(entry).sum::<f64>()
}

/// Frame, title and genes of a block.
fn frame(text: &mut String, placed: &Placed<'_>) {
    let Rect { x, y, width, height } = placed.frame;
    let _ = writeln!(
        text,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\" \
         fill=\"#fafafa\" stroke=\"#9a9a9a\"/>"
    );
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\"><tspan font-weight=\"bold\">{}</tspan> {}</text>",
        x + INSIDE,
        y + 16.0,
        escaped(&placed.block.name),
        escaped(&placed.block.title)
    );
    let mut row_y = y + TITLE;
    for row in &placed.genes {
        let mut gene_x = x + INSIDE;
        for gene in *row {
            let cell = gene_width(gene);
            let (fill, stroke, ink) = if gene.neutral {
                ("#eeeeee", "#c8c8c8", "#a8a8a8")
            } else {
                ("#fff2cc", "#b08d2e", "#000000")
            };
            let middle = gene_x + cell / 2.0;
            let _ = writeln!(
                text,
                "<g><title>gene {}: {}</title><rect x=\"{gene_x:.1}\" y=\"{row_y:.1}\" \
                 width=\"{cell:.1}\" height=\"{GENE}\" fill=\"{fill}\" stroke=\"{stroke}\"/>\
                 <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\" \
                 fill=\"{ink}\">{}</text><text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" \
                 font-size=\"7\" fill=\"#909090\">{}</text></g>",
                gene.position,
                escaped(&gene.meaning),
                row_y + 13.0,
                escaped(&gene.value),
                row_y + GENE + 8.0,
                gene.position
            );
            gene_x += cell;
        }
        row_y += GENES;
    }
}

/// The line of an output to all of its readers.
fn line(text: &mut String, lane: &Lane, placed: &[Placed<'_>], color: &str) {
    let source = &placed[lane.source];
    #[expect(clippy::cast_precision_loss, reason = "few lanes")]
    let x = source.frame.x - 12.0 - lane.number as f64 * LANE;
    let exit = source.exit();
    let under = source.frame.y + source.frame.height + BETWEEN / 2.0;
    for reader in &lane.readers {
        let end = placed[reader.block].entry(reader.node);
        let path = rounded(&[exit, [exit[0], under], [x, under], [x, end[1]], end]);
        let dashed = if reader.delayed { " stroke-dasharray=\"5 3\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.4\"{dashed}/>\
             <circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.4\" fill=\"{color}\"/>",
            end[0], end[1]
        );
    }
}

/// Nodes and edges of a block.
fn graph(text: &mut String, placed: &Placed<'_>) {
    let [x, y] = placed.origin();
    let _ = writeln!(text, "<g transform=\"translate({x:.1} {y:.1})\">");
    for (edge, line) in placed.block.edges.iter().zip(&placed.layout.lines) {
        let dashed = if edge.feedback { " stroke-dasharray=\"5 3\"" } else { "" };
        let _ = writeln!(
            text,
            "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.3\"{dashed} \
             marker-end=\"url(#{})\"/>",
            line.path,
            edge.kind.color(),
            marker(edge.kind)
        );
    }
    for (edge, line) in placed.block.edges.iter().zip(&placed.layout.lines) {
        let Some(label) = label_of(edge) else { continue };
        let note = match edge.note.as_str() {
            "" => String::new(),
            note => {
                format!(" <tspan font-size=\"7\" fill=\"#909090\">{}</tspan>", escaped(note))
            }
        };
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"9.5\" fill=\"{}\" \
             stroke=\"#fafafa\" stroke-width=\"2.5\" paint-order=\"stroke\">{}{note}</text>",
            line.label[0],
            line.label[1],
            edge.kind.color(),
            escaped(&label)
        );
    }
    for (node, place) in placed.block.nodes.iter().zip(&placed.layout.boxes) {
        let fill = match node.role {
            Role::Input { .. } => "#e3ebf7",
            Role::State => "#ffffff",
            Role::Output => "#ececec",
        };
        let Rect { x, y, width, height } = *place;
        let (middle, center) = (x + width / 2.0, y + height / 2.0);
        let label = center + if node.detail.is_empty() { 4.0 } else { -1.0 };
        let _ = writeln!(
            text,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"5\" \
             fill=\"{fill}\" stroke=\"#404040\"/><text x=\"{middle:.1}\" y=\"{label:.1}\" \
             text-anchor=\"middle\" font-size=\"12\" font-weight=\"bold\">{}</text>\
             <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"9\" \
             fill=\"#606060\">{}</text>",
            escaped(&node.label),
            center + 10.0,
            escaped(&node.detail)
        );
    }
    text.push_str("</g>\n");
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn the_document_is_well_formed_and_complete() {
        let picture = sample();
        let text = svg(&picture);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
        for tag in ["svg", "g", "text", "marker", "defs", "title"] {
            let open = text.matches(&format!("<{tag} ")).count()
                + text.matches(&format!("<{tag}>")).count();
            assert_eq!(open, text.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(text.contains("conv &amp; BN") && text.contains("&lt;m3&gt;"), "text is escaped");
        assert_eq!(text.matches("stroke-dasharray").count(), 1 + 2, "legend and two feedbacks");
        let lines = text.matches("<path d=\"M").count();
        let legend = 1 + EdgeKind::ALL.len();
        let markers = EdgeKind::ALL.len();
        assert_eq!(lines, 2 * 9 + 4 + legend + markers);
    }

    #[test]
    fn many_genes_take_several_rows() {
        let gene = Gene {
            position: 7,
            value: "conv_3x3_p_back".to_owned(),
            meaning: String::new(),
            neutral: false,
        };
        let genes = vec![gene; 20];
        let rows = gene_rows(&genes);
        assert!(rows.len() > 1);
        assert_eq!(rows.iter().map(|r| r.len()).sum::<usize>(), 20);
        assert!(rows.iter().all(|r| r.iter().map(gene_width).sum::<f64>() <= WIDEST_ROW));
    }
}
