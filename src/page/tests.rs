//! Pages of small networks, and of those that are too large to show.

use super::{LINES, Page, ROWS, WIDTH, account, escaped};
use crate::artifact::manifest::RemarkEntry;
use crate::compile::{Compiled, Options, compile};
use crate::{source, target::Target};
use snnc_passes::rates::Rates;

fn compiled(target: &str) -> (Compiled, Target) {
    let source = source::read("tests/fixtures/skip.genome.json".as_ref()).unwrap();
    let target = Target::find(target).unwrap();
    (compile(&source, &target, &Options::default()).map_err(|f| f.diagnostics).unwrap(), target)
}

fn page(compiled: &Compiled, target: &Target) -> String {
    Page {
        manifest: &compiled.manifest,
        mapped: compiled.stages.mapped.as_ref().unwrap(),
        target: &target.spec,
        rates: &Rates::assumed(),
        certificate: &compiled.certificate,
        report: compiled.report.as_ref(),
    }
    .html()
}

/// Tags are closed in order, and markup that came from names would show up as tags that are not ours.
fn is_well_formed(text: &str) {
    const EMPTY: [&str; 2] = ["meta", "!DOCTYPE"];
    const KNOWN: [&str; 36] = [
        "html", "head", "meta", "!DOCTYPE", "title", "style", "body", "main", "h1", "h2", "p",
        "code", "dl", "div", "dt", "dd", "b", "figure", "svg", "g", "rect", "path", "text", "ul",
        "li", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "pre", "line",
        "circle",
    ];
    let mut open = Vec::new();
    for tag in text.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag is closed");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(KNOWN.contains(&name), "<{tag}>");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !tag.ends_with('/') && !EMPTY.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_page_says_what_the_artifact_is_and_needs_nothing_else() {
    for name in ["loihi1", "loihi2"] {
        let (compiled, target) = compiled(name);
        let text = page(&compiled, &target);
        is_well_formed(&text);
        let file = compiled.files.iter().find(|f| f.name == "report.html").unwrap();
        assert_eq!(file.bytes, text.as_bytes(), "the page of the artifact, with the same bytes");
        let listed = compiled.manifest.file("report.html").unwrap();
        assert_eq!(listed.bytes, text.len() as u64);
        for part in ["<svg ", "lower bound", "Quantization", "Folding", "assumed"] {
            assert!(text.contains(part), "{part}");
        }
        for population in &compiled.manifest.populations {
            assert!(text.contains(&format!("<tr><td>{}</td>", population.name)));
        }
        assert_eq!(text.contains("Energy, estimate"), name == "loihi1");
        assert_eq!(text.contains("no estimate of energy and time"), name == "loihi2");
        // The only address is the name of SVG.
        let addresses = text.matches("http").count();
        assert_eq!(addresses, text.matches("http://www.w3.org/2000/svg").count() + 1, "http-equiv");
        for active in ["<script", "src=", "href=", "url(", "@import", "<link"] {
            assert!(!text.contains(active), "{active}");
        }
    }
}

#[test]
fn what_is_too_long_is_cut_and_said_to_be() {
    let (mut compiled, target) = compiled("loihi1");
    let remark = RemarkEntry {
        code: "SNN0001".to_owned(),
        message: "<script>alert(1)</script> & \"more\" ".repeat(1000),
        notes: Vec::new(),
    };
    compiled.manifest.remarks = vec![remark; 50_000];
    let population = compiled.manifest.populations[0].clone();
    compiled.manifest.populations = vec![population; 50_000];
    let proof = compiled.certificate.populations[0].clone();
    compiled.certificate.populations = vec![proof; 50_000];
    let text = page(&compiled, &target);
    is_well_formed(&text);
    assert!(text.len() < 500_000, "{}", text.len());
    let left = 50_000 - ROWS;
    assert!(text.contains(&format!("Left out: {left} more populations")));
    assert!(text.contains(&format!("Left out: {left} more remarks")));
    let mut lines = String::new();
    account(&mut lines, &"line\n".repeat(LINES + 3));
    assert!(lines.ends_with("<p>Left out: 3 more lines.</p>\n"));
}

#[test]
fn text_is_no_markup() {
    assert_eq!(escaped("a<b> & \"c\"\u{7}"), "a&lt;b&gt; &amp; &quot;c&quot;");
    let long = escaped(&"ä".repeat(WIDTH + 1));
    assert_eq!(long.chars().count(), WIDTH + 1);
    assert!(long.ends_with('\u{2026}'));
    assert_eq!(escaped(&"ä".repeat(WIDTH)), "ä".repeat(WIDTH));
}
