//! Every pass on small networks made for it: `golden/NAME.snn` names its pipeline in the first
//! line; each step is a snapshot of its own, numbered so that a listing reads as the pipeline.

mod common;

use common::{network, run};
use snnc_ir::NetworkDraft;
use snnc_ir::level::AnyDraft;
use snnc_ir::text;
use snnc_passes::AnyLevel;

fn golden(name: &str, source: &str) {
    let (first, _) = source.split_once('\n').expect("more than one line");
    let pipeline = first.strip_prefix("// run: ").expect("the pipeline in the first line");
    let mut step = |index: usize, pass: &'static str, level: &AnyLevel| {
        let text = text::print_network(network(level));
        insta::assert_snapshot!(format!("{name}-{index}-{pass}"), text);
    };
    let outcome = run(read(source), pipeline, &mut step);
    let outcome = outcome.unwrap_or_else(|f| panic!("{}: {}", f.pass, f.diagnostics));
    insta::assert_snapshot!(format!("{name}-remarks"), outcome.remarks);
}

fn read(source: &str) -> NetworkDraft {
    match text::parse(source) {
        Ok(AnyDraft::Network(draft)) => draft,
        Ok(_) => panic!("a network"),
        Err(errors) => panic!("{errors}"),
    }
}

#[test]
fn batchnorm() {
    golden("batchnorm", include_str!("golden/batchnorm.snn"));
}

#[test]
fn pooling() {
    golden("pooling", include_str!("golden/pooling.snn"));
}

#[test]
fn currents() {
    golden("currents", include_str!("golden/currents.snn"));
}

#[test]
fn neurons() {
    golden("neurons", include_str!("golden/neurons.snn"));
}

#[test]
fn populations() {
    golden("populations", include_str!("golden/populations.snn"));
}

#[test]
fn clips() {
    golden("clips", include_str!("golden/clips.snn"));
}

#[test]
fn halves() {
    golden("halves", include_str!("golden/halves.snn"));
}

#[test]
fn filtered() {
    golden("filtered", include_str!("golden/filtered.snn"));
}
