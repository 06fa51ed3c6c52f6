//! fold-pooling

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::{Diagnostics, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldPooling;

static INFO: PassInfo = PassInfo {
    name: "fold-pooling",
    summary: "",
    class: Class::RealExact,
    requires: &[],
    establishes: &[Property::PoolingFolded],
    invalidates: &[],
    options: &[],
};

impl Pass for FoldPooling {
    type From = Network;
    type To = Network;
    fn info(&self) -> &'static PassInfo {
        &INFO
    }
    fn run(&self, draft: NetworkDraft, _cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        Ok(draft)
    }
}
