//! A binary without graphics processors.

use super::{Chosen, not_built_in};
use crate::bench::{Measured, Workload};
use crate::simulate::Machine;
use snnc_ir::Diagnostics;

pub(super) fn gpu(_: &Machine) -> Result<Chosen, Diagnostics> {
    Err(not_built_in("gpu"))
}

pub(super) fn auto(machine: &Machine) -> Chosen {
    Chosen::fallback(machine, "this snnc was built without the feature `gpu`")
}

pub(super) fn measure(_: Workload, _: usize, _: usize) -> Result<Measured, Diagnostics> {
    Err(not_built_in("gpu"))
}
