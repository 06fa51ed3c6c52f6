//! The passes by name.

use crate::framework::pass::{AnyPass, Pass};
use crate::framework::properties::Property;
use crate::{
    drop_clips, feed_currents, fold_batchnorm, fold_halves, fold_integers, fold_pooling,
    fold_shared, fold_silent,
};
use crate::{
    lower_currents, lower_genes, map, merge_nodes, normalize, push_neurons, quantize, remove_dead,
};
use crate::{place, regroup, schedule, strict_compare};
use snnc_ir::{Network, QuantizedNetwork};

/// All passes that a pipeline may name.
#[derive(Debug, Default)]
pub struct Registry {
    passes: Vec<AnyPass>,
}

fn network(pass: impl Pass<From = Network, To = Network> + Send + Sync + 'static) -> AnyPass {
    AnyPass::Network(Box::new(pass))
}

fn quantized(
    pass: impl Pass<From = QuantizedNetwork, To = QuantizedNetwork> + Send + Sync + 'static,
) -> AnyPass {
    AnyPass::Quantized(Box::new(pass))
}

impl Registry {
    /// A registry of these passes.
    pub const fn new(passes: Vec<AnyPass>) -> Self {
        Self { passes }
    }

    /// Every pass of this crate, in the usual order.
    pub fn standard() -> Self {
        Self::new(vec![
            network(lower_genes::LowerGenes),
            network(fold_batchnorm::FoldBatchNorm),
            network(fold_pooling::FoldPooling),
            network(push_neurons::PushNeurons),
            network(fold_silent::FoldSilent),
            network(merge_nodes::MergeNodes),
            network(lower_currents::LowerCurrents),
            network(drop_clips::DropClips),
            network(normalize::NormalizeNeurons),
            network(feed_currents::FeedCurrents),
            network(remove_dead::RemoveDead),
            network(fold_halves::FoldHalves),
            network(fold_shared::FoldShared),
            AnyPass::Quantize(Box::new(quantize::Quantize)),
            quantized(fold_integers::FoldIntegers),
            quantized(strict_compare::StrictCompare),
            quantized(schedule::ScheduleTime),
            AnyPass::Map(Box::new(map::Map)),
            AnyPass::Mapped(Box::new(regroup::Regroup)),
            AnyPass::Mapped(Box::new(place::Place)),
        ])
    }

    /// The passes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, AnyPass> {
        self.passes.iter()
    }

    /// The pass called `name`.
    pub fn by_name(&self, name: &str) -> Option<&AnyPass> {
        self.iter().find(|p| p.info().name == name)
    }

    /// Names of the passes that establish `property`.
    pub fn establishing(&self, property: Property) -> Vec<&'static str> {
        let establishes = |p: &&AnyPass| p.info().establishes.contains(&property);
        self.iter().filter(establishes).map(|p| p.info().name).collect()
    }
}

impl<'a> IntoIterator for &'a Registry {
    type Item = &'a AnyPass;
    type IntoIter = std::slice::Iter<'a, AnyPass>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
