//! `report.html`: what an artifact is, on one page for a browser.
//!
//! The page holds everything that it shows: no scripts, no fonts, no pictures from elsewhere, and a policy that forbids browsers to
//! fetch any. Its bytes follow from the artifact alone. What would make it large is cut, and the page says so: tables after a number
//! of rows, and a board of many cores is drawn in squares.

mod style;
#[cfg(test)]
mod tests;

use crate::artifact::Manifest;
use crate::artifact::manifest::PopulationEntry;
use crate::artifact::mapping::{energy, time};
use crate::describe::shape_text;
use crate::picture;
use crate::report::Report;
use snnc_backends::certify::{Certificate, PopulationCertificate};
use snnc_ir::{MappedNetwork, TargetSpec};
use snnc_passes::rates::Rates;
use std::fmt::Write as _;

/// Rows of a table that are shown.
const ROWS: usize = 200;
/// Lines of an account that are shown.
const LINES: usize = 400;
/// Characters of a name, a remark or a line that are shown.
const WIDTH: usize = 240;

/// What a page is made from.
pub(crate) struct Page<'p> {
    /// The manifest; its list of files is not looked at.
    pub(crate) manifest: &'p Manifest,
    /// The network on its cores.
    pub(crate) mapped: &'p MappedNetwork,
    /// The target.
    pub(crate) target: &'p TargetSpec,
    /// How often neurons send.
    pub(crate) rates: &'p Rates,
    /// What was proved.
    pub(crate) certificate: &'p Certificate,
    /// What quantization did, if anything was quantized.
    pub(crate) report: Option<&'p Report>,
}

impl Page<'_> {
    /// The page as a document.
    pub(crate) fn html(&self) -> String {
        let Manifest { network, target, source, snnc, .. } = self.manifest;
        let title = escaped(&format!("{network} on {}", target.name));
        let mut text = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p class=\"faint\">compiled by snnc {} from a {} with blake3 <code>{}</code></p>\n",
            style::CSS,
            escaped(snnc),
            escaped(&source.kind),
            escaped(&source.blake3),
        );
        self.summary(&mut text);
        self.mapping(&mut text);
        self.populations(&mut text);
        if let Some(report) = self.report {
            section(
                &mut text,
                "Quantization",
                "What became of every number; <code>report.json</code> has all of it.",
            );
            account(&mut text, &report.render());
        }
        section(
            &mut text,
            "Folding",
            "Parameters from the genome to core memory, and what was folded.",
        );
        account(&mut text, &self.manifest.folding.render());
        self.remarks(&mut text);
        text.push_str("</main>\n</body>\n</html>\n");
        text
    }

    /// What matters most, in a few boxes.
    fn summary(&self, text: &mut String) {
        let Manifest { mapping, time: run, .. } = self.manifest;
        let totals = &self.certificate.totals;
        let mut boxes = vec![
            (
                "Cores".to_owned(),
                mapping.cores.to_string(),
                format!("lower bound {}: {}", mapping.lower_bound, mapping.bound_by),
            ),
            (
                "Neurons".to_owned(),
                totals.neurons.to_string(),
                format!("and {} relays, {} clocks", totals.relays, totals.clocks),
            ),
            (
                "Synapses".to_owned(),
                totals.synapses.to_string(),
                "read back from the bytes, and equal to the quantized network for all inputs"
                    .to_owned(),
            ),
            (
                "Steps".to_owned(),
                run.run_steps.to_string(),
                format!("of the chip, for {} of the network (period {})", run.steps, run.period),
            ),
            (
                "Messages between cores".to_owned(),
                format!("{:.1}", mapping.traffic.messages),
                format!("a step, over {:.2} links on average", mapping.traffic.mean_hops),
            ),
        ];
        if let Some(estimate) = &mapping.estimate {
            let run = |n: String| format!("a step; {n} a run");
            boxes.push((
                "Energy, estimate".to_owned(),
                energy(estimate.energy),
                run(energy(estimate.run_energy)),
            ));
            boxes.push((
                "Time, estimate".to_owned(),
                time(estimate.time),
                run(time(estimate.run_time)),
            ));
        }
        text.push_str("<dl class=\"boxes\">\n");
        for (name, value, more) in boxes {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "<div><dt>{}</dt><dd><b>{}</b> {}</dd></div>",
                escaped(&name),
                escaped(&value),
                escaped(&more)
            );
        }
        text.push_str("</dl>\n");
    }

    /// Picture, figures, and where these are from.
    fn mapping(&self, text: &mut String) {
        let Manifest { mapping, cores, limits, network, target, .. } = self.manifest;
        section(
            text,
            "Cores on the mesh",
            "Colors say how full cores are, arrows what they send each other. Point at a core or an arrow to read its figures.",
        );
        let heading = (format!("{network} on {}", target.name), [mapping.cores_text()]);
        let heading = (heading.0.as_str(), heading.1.as_slice());
        let svg = picture::network(heading, self.mapped, (cores, limits), self.target, self.rates);
        let _ = write!(text, "<figure>\n{svg}</figure>\n<ul>\n");
        for line in mapping.text().lines() {
            let _ = writeln!(text, "<li>{}</li>", escaped(line.trim()));
        }
        text.push_str("</ul>\n");
        if let Some(estimate) = &mapping.estimate {
            text.push_str(
                "<details><summary>Figures of the estimate and their sources</summary>\n<ul>\n",
            );
            for source in &estimate.sources {
                let _ = writeln!(text, "<li>{}</li>", escaped(source));
            }
            text.push_str("</ul>\n</details>\n");
        }
    }

    /// Every population with its proof.
    fn populations(&self, text: &mut String) {
        let populations = &self.manifest.populations;
        section(text, "Populations", "With the bounds that the certificate proves for all inputs.");
        text.push_str(
            "<div class=\"wide\"><table>\n<thead><tr><th>population</th><th>role</th><th>shape</th><th>neurons</th>\
             <th>cores</th><th>synapses</th><th>latency</th><th>weights</th><th>current</th><th>membrane</th></tr></thead>\n<tbody>\n",
        );
        let proofs = self.certificate.populations.iter();
        for (entry, proof) in populations.iter().zip(proofs).take(ROWS) {
            row(text, entry, proof);
        }
        text.push_str("</tbody>\n</table></div>\n");
        let left = populations.len().saturating_sub(ROWS);
        more(
            text,
            left,
            "populations; <code>manifest.json</code> and <code>certificate.json</code> have all",
        );
    }

    /// What passes remarked.
    fn remarks(&self, text: &mut String) {
        let remarks = &self.manifest.remarks;
        if remarks.is_empty() {
            return;
        }
        section(text, "Remarks", "");
        text.push_str("<ul>\n");
        for remark in remarks.iter().take(ROWS) {
            let _ = writeln!(
                text,
                "<li><code>{}</code> {}</li>",
                escaped(&remark.code),
                escaped(&remark.message)
            );
        }
        text.push_str("</ul>\n");
        more(
            text,
            remarks.len().saturating_sub(ROWS),
            "remarks; <code>manifest.json</code> has all",
        );
    }
}

/// A row of the table of populations.
fn row(text: &mut String, entry: &PopulationEntry, proof: &PopulationCertificate) {
    let dash = || "\u{2013}".to_owned();
    let weights =
        entry.quantization.as_ref().map(|q| format!("{} to {}", q.weight[0], q.weight[1]));
    let bounds = proof.bounds.as_ref();
    let range = |low: i64, high: i64| format!("{low} to {high}");
    let _ = writeln!(
        text,
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escaped(&entry.name),
        escaped(&entry.role),
        escaped(&shape_text(&entry.shape)),
        proof.neurons,
        proof.cores,
        proof.synapses,
        entry.latency,
        weights.unwrap_or_else(dash),
        bounds.map_or_else(dash, |b| range(b.u.low, b.u.high)),
        bounds.map_or_else(dash, |b| range(b.v.low, b.v.high)),
    );
}

/// Begins a section; `about` is markup.
fn section(text: &mut String, title: &str, about: &str) {
    let _ = writeln!(text, "<h2>{title}</h2>");
    if !about.is_empty() {
        let _ = writeln!(text, "<p>{about}</p>");
    }
}

/// Tables for people, as the command line prints them.
fn account(text: &mut String, tables: &str) {
    text.push_str("<div class=\"wide\"><pre>");
    for line in tables.lines().take(LINES) {
        let _ = writeln!(text, "{}", escaped(line));
    }
    text.push_str("</pre></div>\n");
    more(text, tables.lines().count().saturating_sub(LINES), "lines");
}

/// Says what is left out; `what` is markup.
fn more(text: &mut String, left: usize, what: &str) {
    if left > 0 {
        let _ = writeln!(text, "<p>Left out: {left} more {what}.</p>");
    }
}

/// Text with the characters of markup replaced, without control characters, cut if it is very long.
fn escaped(text: &str) -> String {
    let mut plain = String::new();
    for (at, c) in text.chars().filter(|c| !c.is_control()).enumerate() {
        if at == WIDTH {
            plain.push('\u{2026}');
            break;
        }
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '"' => plain.push_str("&quot;"),
            c => plain.push(c),
        }
    }
    plain
}
