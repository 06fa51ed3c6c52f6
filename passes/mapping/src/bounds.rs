//! Lower bounds.
use crate::layers::Network;
use crate::layers::tiles::CoreLimits;
use crate::partition::Limits;
/// x
pub struct B(u64);
impl B { /// x
 pub fn largest(&self) -> u64 { self.0 } }
/// x
pub fn cores(network: &Network, limits: &CoreLimits) -> B { B(network.neurons().div_ceil(limits.neurons)) }
/// x
pub fn partition(network: &Network, limits: &Limits) -> u64 { network.neurons().div_ceil(limits.neurons) }
