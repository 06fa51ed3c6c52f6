//! The text of the network after every pass, for three small genomes.
//!
//! A snapshot per pass, numbered, so that a folder listing reads as the pipeline and a change shows
//! where it starts to matter.

use snnc::ir::text::{print_mapped, print_network, print_quantized};
use snnc::passes::{AnyLevel, Pipeline, PropertySet, Registry, plan};
use snnc::pipeline::{Delays, Stage, standard};
use snnc::source::{Given, Weights};
use snnc::{Target, source};
use std::path::PathBuf;

fn text(level: &AnyLevel) -> String {
    match level {
        AnyLevel::Network(n) => print_network(n),
        AnyLevel::Quantized(q) => print_quantized(q),
        AnyLevel::Mapped(m) => print_mapped(m),
    }
}

fn golden(case: &str, target: &str, delays: Delays, weights: Option<Weights>) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let genome = folder.join(format!("examples/small/{case}.genome.json"));
    let source = source::read_with(&genome, Given { weights, ..Given::default() })
        .expect("a shipped genome");
    let target = Target::find(target).expect("a shipped target");
    let registry = Registry::standard();
    let pipeline = Pipeline::parse(&standard(Stage::Network, delays)).expect("the pipeline parses");
    let properties = PropertySet::of(&source.level);
    let plan =
        plan(&registry, &pipeline, source.level.kind(), &properties).expect("it is in order");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder.join("tests/golden").join(case));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("00-genome", text(&source.level));
        let mut before = text(&source.level);
        plan.run(
            source.level.clone(),
            &target.spec,
            &mut |i: usize, pass: &'static str, level: &AnyLevel| {
                let after = text(level);
                // A pass that has nothing to do leaves no snapshot.
                if after != before {
                    insta::assert_snapshot!(format!("{i:02}-{pass}"), after);
                }
                before = after;
            },
        )
        .unwrap_or_else(|f| panic!("{}", f.diagnostics));
    });
}

#[test]
fn skip_connections_and_delays() {
    golden("skip", "loihi1", Delays::Relay, None);
}

#[test]
fn convolution_and_pooling() {
    golden("conv", "loihi1", Delays::Synaptic, None);
}

/// Split, merged, with clips that stay and clips that vanish, on graded relays.
#[test]
fn motif_with_clips() {
    golden("motif", "loihi2", Delays::Synaptic, Some(Weights::Random(7)));
}
