//! fold-batchnorm

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::{Diagnostics, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldBatchNorm;

static INFO: PassInfo = PassInfo {
    name: "fold-batchnorm",
    summary: "",
    class: Class::RealExact,
    requires: &[],
    establishes: &[Property::BatchNormFolded],
    invalidates: &[],
    options: &[],
};

impl Pass for FoldBatchNorm {
    type From = Network;
    type To = Network;
    fn info(&self) -> &'static PassInfo {
        &INFO
    }
    fn run(&self, draft: NetworkDraft, _cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        Ok(draft)
    }
}
