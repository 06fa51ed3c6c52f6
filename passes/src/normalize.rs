//! normalize-neurons

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::{Diagnostics, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct NormalizeNeurons;

static INFO: PassInfo = PassInfo {
    name: "normalize-neurons",
    summary: "",
    class: Class::RealExact,
    requires: &[],
    establishes: &[Property::NeuronsNormalized],
    invalidates: &[],
    options: &[],
};

impl Pass for NormalizeNeurons {
    type From = Network;
    type To = Network;
    fn info(&self) -> &'static PassInfo {
        &INFO
    }
    fn run(&self, draft: NetworkDraft, _cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        Ok(draft)
    }
}
