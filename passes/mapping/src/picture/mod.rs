//! A mapping as SVG: cores on the mesh colored by load, the largest flows as arrows, and how much of each resource is used.
//!
//! Whoever draws gives names, loads and resources; nothing here knows what a neuron is. Same picture, same bytes.

mod board;
mod flows;
mod panel;

use crate::place::{Mesh, Placement, Traffic};
use board::Board;
use std::fmt::Write as _;

/// What is drawn.
#[derive(Clone, Debug)]
pub struct Picture<'p> {
    /// Heading.
    pub title: &'p str,
    /// Facts, a line each.
    pub facts: &'p [String],
    /// The mesh.
    pub mesh: &'p Mesh,
    /// Where the cores lie.
    pub placement: &'p Placement,
    /// What they send.
    pub traffic: &'p Traffic,
    /// What each core holds: the first line of its tooltip. A core without a name has its number only.
    pub names: &'p [String],
    /// What colors mean, such as `neurons, part of the limit`.
    pub load: &'p str,
    /// Load of each core, from 0 to 1. What is above 1 has a color of its own.
    pub loads: &'p [f64],
    /// Bars beside the mesh.
    pub resources: &'p [Resource],
}

/// Something that cores have a limit of.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Most that a core has.
    pub limit: f64,
    /// What each core uses.
    pub used: Vec<f64>,
}

/// Space around everything, and between parts.
const MARGIN: f64 = 20.0;
/// Height of a line of text.
const LINE: f64 = 16.0;
/// Width of the bars' column.
const PANEL: f64 = 270.0;

/// Colors of light and dark surroundings. A picture has a background of its own, so that it can be read wherever it stands; where a
/// reader prefers dark, ink and background change places.
const STYLE: &str = "<style>\n\
    .bg{fill:#ffffff}.ink{fill:#222222}.soft{fill:#666666}.card{fill:#f6f7f9;stroke:#c9ced6}\
    .none{fill:#e9ecf0}.track{fill:#e3e7ec}.chip{fill:none;stroke:#8a93a0}\
    .flow{fill:none;stroke:#c2410c}.head{fill:#c2410c}.halo{fill:none;stroke:#ffffff}\n\
    @media (prefers-color-scheme:dark){\
    .bg{fill:#15181d}.ink{fill:#e8eaed}.soft{fill:#a4abb6}.card{fill:#1d2229;stroke:#3a424e}\
    .none{fill:#272d36}.track{fill:#2b323c}.chip{stroke:#78818f}\
    .flow{stroke:#ff9d5c}.head{fill:#ff9d5c}.halo{stroke:#15181d}}\n\
    </style>\n";

/// The picture as a document.
///
/// A placement that does not belong to the mesh or traffic leaves an empty board.
pub fn svg(picture: &Picture<'_>) -> String {
    let lines = 1 + picture.facts.len();
    let top = MARGIN + LINE * count(lines) + 14.0;
    let board = Board::of(picture, [MARGIN, top]);
    let shown = flows::largest(picture, &board);
    let captions = panel::captions(picture, &shown, board.tile());
    // Beside a small board stands what is written below it.
    let written = captions.iter().map(|(at, text)| MARGIN + at + text_width(text));
    let right = written.fold(board.right(), f64::max) + MARGIN;
    let legend = board.bottom() + 12.0;
    let below = panel::legend_height(&shown);
    let height = (legend + below).max(top + panel::bars_height(picture)) + MARGIN;
    let facts = picture.facts.iter().map(|fact| MARGIN + text_width(fact));
    let width = facts.fold(right + PANEL, f64::max) + MARGIN;

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', \
         sans-serif\" font-size=\"11\">\n{STYLE}\
         <rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n"
    );
    let mut y = MARGIN + 11.0;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "<text class=\"ink\" x=\"{MARGIN}\" y=\"{y:.0}\" font-size=\"15\" font-weight=\"bold\">{}</text>",
        escaped(picture.title)
    );
    for fact in picture.facts {
        y += LINE;
        let _ = writeln!(
            text,
            "<text class=\"soft\" x=\"{MARGIN}\" y=\"{y:.0}\">{}</text>",
            escaped(fact)
        );
    }
    board.draw(&mut text, picture);
    flows::draw(&mut text, &shown, &board);
    panel::legend(&mut text, picture, &shown, &captions, [MARGIN, legend]);
    panel::bars(&mut text, picture, [right, top]);
    text.push_str("</svg>\n");
    text
}

/// Text with the characters of markup replaced, and without control characters, which XML has no place for.
fn escaped(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// About the width of a line of text.
fn text_width(text: &str) -> f64 {
    const CHARACTER: f64 = 5.6;
    count(text.chars().count()) * CHARACTER
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 things are drawn")]
fn count(of: usize) -> f64 {
    of as f64
}

/// A number for readers: thousands apart, three digits where it is small.
fn number(value: f64) -> String {
    if !value.is_finite() {
        return "?".to_owned();
    }
    if value.fract().abs() > 0.0 && value.abs() < 100.0 {
        let digits = if value.abs() < 1.0 { 3 } else { 1 };
        let text = format!("{value:.digits$}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    if value.abs() >= 1e15 {
        return format!("{value:.2e}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < -0.5 { "\u{2212}".to_owned() } else { String::new() };
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Light to dark blue by load; what is above 1 is red. One hue that only grows darker can be told apart with any kind of color vision,
/// and printed gray.
fn color(load: f64) -> String {
    const STOPS: [[f64; 3]; 4] =
        [[227.0, 238.0, 249.0], [140.0, 185.0, 224.0], [43.0, 121.0, 187.0], [8.0, 48.0, 96.0]];
    if load > 1.0 + 1e-9 {
        return OVER.to_owned();
    }
    let at = if load.is_finite() { load.clamp(0.0, 1.0) } else { 0.0 } * 3.0;
    let first = if at >= 2.0 { 2 } else { usize::from(at >= 1.0) };
    let part = at - count(first);
    let mix = |i: usize| STOPS[first][i] + (STOPS[first + 1][i] - STOPS[first][i]) * part;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two colors"
    )]
    let byte = |i: usize| mix(i).round() as u8;
    format!("#{:02x}{:02x}{:02x}", byte(0), byte(1), byte(2))
}

/// Ink on a core of this load.
fn ink(load: f64) -> &'static str {
    if load > 0.5 { "#ffffff" } else { "#1d2a38" }
}

/// Color of what is above its limit.
const OVER: &str = "#b3261e";

#[cfg(test)]
mod tests;
