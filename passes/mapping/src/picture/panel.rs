//! Bars of resources and the legend.

use super::flows::{Shown, arrow, summary};
use super::{LINE, OVER, PANEL, Picture, Resource, color, count, escaped, number};
use std::fmt::Write as _;

/// Height of what belongs to one resource.
const ROW: f64 = 46.0;
/// Height of a bar.
const BAR: f64 = 12.0;
/// Extent of the scale of colors.
const SCALE: [f64; 2] = [180.0, 10.0];
/// Colors of the mean and of the maximum: those of the scale at its dark end and its light one.
const MEAN: &str = "#1b6ca8";
const MOST: &str = "#9cc4e6";

pub(super) fn bars_height(picture: &Picture<'_>) -> f64 {
    count(picture.resources.len()) * ROW + if picture.resources.is_empty() { 0.0 } else { 44.0 }
}

pub(super) fn legend_height(shown: &Shown) -> f64 {
    42.0 + if shown.flows.is_empty() { 0.0 } else { 22.0 }
}

/// Bars: of each resource the mean and the maximum over cores, in parts of the limit.
pub(super) fn bars(text: &mut String, picture: &Picture<'_>, [x, top]: [f64; 2]) {
    if picture.resources.is_empty() {
        return;
    }
    let mut y = top + 10.0;
    let _ = writeln!(
        text,
        "<text class=\"ink\" x=\"{x:.1}\" y=\"{y:.1}\" font-weight=\"bold\">Resources of a core</text>"
    );
    y += 12.0;
    for resource in picture.resources {
        bar(text, resource, [x, y]);
        y += ROW;
    }
    let mut at = x;
    for (color, meaning) in [(MEAN, "mean over cores"), (MOST, "fullest core")] {
        let _ = writeln!(
            text,
            "<rect x=\"{at:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\" fill=\"{color}\"/>\
             <text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\">{meaning}</text>",
            y + 4.0,
            at + 15.0,
            y + 13.0
        );
        at += 118.0;
    }
}

fn bar(text: &mut String, resource: &Resource, [x, y]: [f64; 2]) {
    let sum: f64 = resource.used.iter().sum();
    let mean = sum / count(resource.used.len().max(1));
    let mut most = (0.0, None);
    for (core, &used) in resource.used.iter().enumerate() {
        if most.1.is_none() || used > most.0 {
            most = (used, Some(core));
        }
    }
    let part = |used: f64| if resource.limit > 0.0 { used / resource.limit } else { 0.0 };
    let over = most.0 > resource.limit;
    let width = |used: f64| PANEL * part(used).clamp(0.0, 1.0);
    let percent = |used: f64| number((part(used) * 100.0).round());
    let fullest = most.1.map_or(String::new(), |core| format!(", on core {core}"));
    let (class, ink) = if over { ("", OVER) } else { ("soft", "") };
    let fill = if ink.is_empty() { String::new() } else { format!(" fill=\"{ink}\"") };
    let _ = writeln!(
        text,
        "<g><title>{name}: {} of {} on average, at most {}{fullest}</title>\
         <text class=\"ink\" x=\"{x:.1}\" y=\"{:.1}\">{name}</text>\
         <text class=\"{class}\"{fill} x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{} % · {} % of {}</text>\
         <rect class=\"track\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{PANEL:.1}\" height=\"{BAR}\" rx=\"3\"/>\
         <rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\" fill=\"{}\"/>\
         <rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\" fill=\"{MEAN}\"/></g>",
        number(mean),
        number(resource.limit),
        number(most.0),
        y + LINE - 3.0,
        x + PANEL,
        y + LINE - 3.0,
        percent(mean),
        percent(most.0),
        number(resource.limit),
        y + LINE + 3.0,
        y + LINE + 3.0,
        width(most.0),
        if over { OVER } else { MOST },
        y + LINE + 3.0,
        width(mean),
        name = escaped(&resource.name),
    );
}

/// Where texts of the legend begin, and what they say: what colors mean, then what arrows do.
pub(super) fn captions(
    picture: &Picture<'_>,
    shown: &Shown,
    tile: Option<String>,
) -> Vec<(f64, String)> {
    let colors = format!("{}{}", picture.load, tile.unwrap_or_default());
    let mut captions = vec![(SCALE[0] + 12.0, colors)];
    if !shown.flows.is_empty() {
        let widest = number(shown.most());
        let text = format!("{}; the widest has {widest} messages per step", summary(shown));
        captions.push((54.0, text));
    }
    captions
}

/// The scale of colors, and what arrows mean.
pub(super) fn legend(
    text: &mut String,
    picture: &Picture<'_>,
    shown: &Shown,
    captions: &[(f64, String)],
    [x, y]: [f64; 2],
) {
    const STEPS: usize = 30;
    let [width, height] = SCALE;
    let step = width / count(STEPS);
    for i in 0..STEPS {
        let _ = writeln!(
            text,
            "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height}\" fill=\"{}\"/>",
            x + count(i) * step,
            step + 0.4,
            color((count(i) + 0.5) / count(STEPS))
        );
    }
    for (part, anchor, label) in [(0.0, "start", "0"), (0.5, "middle", "50"), (1.0, "end", "100 %")]
    {
        let _ = writeln!(
            text,
            "<text class=\"soft\" x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" text-anchor=\"{anchor}\">{label}</text>",
            x + part * width,
            y + height + 12.0
        );
    }
    for ((at, caption), y) in captions.iter().zip([y + height - 1.0, y + 41.0]) {
        let _ = writeln!(
            text,
            "<text class=\"ink\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            x + at,
            escaped(caption)
        );
    }
    let over = picture.loads.iter().filter(|&&load| load > 1.0 + 1e-9).count();
    if over > 0 {
        let _ = writeln!(
            text,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\" fill=\"{OVER}\"/>\
             <text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\">above the limit ({over})</text>",
            x + width + 12.0,
            y + height + 3.0,
            x + width + 27.0,
            y + height + 12.0
        );
    }
    if !shown.flows.is_empty() {
        let y = y + 40.0;
        arrow(text, [x, y], [x + 44.0, y], 3.0, 0.0, "");
    }
}
