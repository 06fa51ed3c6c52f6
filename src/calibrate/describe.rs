//! What a search changed, in words.

use super::entry::Entry;
use super::layers::Layer;
use snnc_ir::Param;

/// What `chosen` has that `start` has not.
pub(super) fn changes(start: &Entry, chosen: &Entry, layer: &Layer) -> Vec<String> {
    let mut found = Vec::new();
    if let (Some(old), Some(new)) = (&start.population.scale, &chosen.population.scale) {
        let ratio = |n: usize| new.at(n, &layer.shape) / old.at(n, &layer.shape);
        let ratios = (0..layer.shape.size()).map(ratio);
        let (low, high) = ratios.fold((f64::INFINITY, 0.0_f64), |(l, h), r| (l.min(r), h.max(r)));
        if old != new && low < high {
            found.push(format!("scales times {low:.3} to {high:.3}"));
        } else if old != new {
            found.push(format!("scale times {low:.3}"));
        }
    }
    for (old, new) in start.terms.iter().zip(&chosen.terms) {
        let source = &new.source;
        match (old.split, new.split) {
            (Some(false), Some(true)) => found.push(format!("signs of `{source}` apart")),
            (Some(true), Some(false)) => found.push(format!("signs of `{source}` together")),
            _ => {}
        }
        if let (Some(a), Some(b)) = (old.exponent, new.exponent)
            && a != b
        {
            found.push(format!("exponent of `{source}` {b} instead of {a}"));
        }
        if let (Some(a), Some(b)) = (&old.weights, &new.weights) {
            let moved = a.iter().zip(b).filter(|(a, b)| a != b).count();
            if moved > 0 {
                found.push(format!("{moved} of {} weights of `{source}`", b.len()));
            }
        }
    }
    let values = [
        ("thresholds", &start.population.threshold, &chosen.population.threshold),
        ("biases", &start.population.bias, &chosen.population.bias),
    ];
    for (what, old, new) in values {
        found.extend(changed(what, old.as_ref(), new.as_ref(), layer));
    }
    if start.population.dv != chosen.population.dv {
        found.push("decay registers".to_owned());
    }
    found
}

fn changed(
    what: &str,
    old: Option<&Param<i32>>,
    new: Option<&Param<i32>>,
    layer: &Layer,
) -> Option<String> {
    let (old, new) = (old?, new?);
    let neurons = layer.shape.size();
    let differs = |n: &usize| old.at(*n, &layer.shape) != new.at(*n, &layer.shape);
    let count = (0..neurons).filter(differs).count();
    (count > 0).then(|| format!("{what} of {count} of {neurons} neurons"))
}
