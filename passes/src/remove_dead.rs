//! remove-dead

use crate::framework::{Class, Context, Pass, PassInfo, Property};
use snnc_ir::{Diagnostics, Network, NetworkDraft};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveDead;

static INFO: PassInfo = PassInfo {
    name: "remove-dead",
    summary: "",
    class: Class::RealExact,
    requires: &[],
    establishes: &[Property::DeadRemoved],
    invalidates: &[],
    options: &[],
};

impl Pass for RemoveDead {
    type From = Network;
    type To = Network;
    fn info(&self) -> &'static PassInfo {
        &INFO
    }
    fn run(&self, draft: NetworkDraft, _cx: &mut Context<'_>) -> Result<NetworkDraft, Diagnostics> {
        Ok(draft)
    }
}

/// Property.
pub fn is_clean(_draft: &NetworkDraft) -> bool {
    true
}
