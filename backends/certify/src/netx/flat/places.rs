//! Which populations lie in which layer.

use super::{Flat, at, error};
use crate::netx::{Layout, Part};

/// Parts of the layout that are still to be placed, by layer and position.
pub(super) struct Places<'l> {
    pub(super) parts: Vec<&'l Part>,
}

impl<'l> Places<'l> {
    pub(super) fn of(layout: &'l Layout) -> Flat<Self> {
        let mut parts: Vec<&Part> = layout.populations.iter().collect();
        parts.sort_by_key(|part| (part.layer, part.first));
        if let Some(empty) = parts.iter().find(|part| part.len == 0) {
            let message = "the layout gives it no neurons";
            return Err(Box::new(
                error(message).at(format!("population \"{}\"", empty.population)),
            ));
        }
        Ok(Self { parts })
    }

    /// The parts of a layer of `rows` neurons, which they must tile.
    pub(super) fn take(&mut self, layer: usize, rows: u32) -> Flat<Vec<&'l Part>> {
        let of = self.parts.iter().take_while(|part| part.layer == layer).count();
        let parts: Vec<&Part> = self.parts.drain(..of).collect();
        let mut next = 0_usize;
        for part in &parts {
            if part.first != next {
                let message = format!("the layout does not tile the layer at neuron {next}");
                return Err(at(layer, message));
            }
            next = next.saturating_add(part.len);
        }
        if next != rows as usize {
            return Err(at(layer, format!("the layout has {next} neurons of the layer's {rows}")));
        }
        Ok(parts)
    }
}
