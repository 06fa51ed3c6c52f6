//! Moves and swaps of cores, uphill now and then, less and less.

use super::board::{Layout, NONE};
use super::rng::Rng;

/// How long, how hot, how far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// Moves tried per core, in all steps together.
    pub(super) moves: u64,
    /// Steps of temperature.
    pub(super) steps: u32,
    /// First temperature, in mean changes of cost of random moves.
    pub(super) hot: f64,
    /// Last temperature, likewise.
    pub(super) cold: f64,
    /// Farthest random move at the start, in routers.
    pub(super) reach: u32,
}

/// Anneals a layout.
pub(super) fn anneal(layout: &mut Layout<'_>, schedule: &Schedule, rng: &mut Rng) {
    let cores = u32::try_from(layout.site_of.len()).unwrap_or(0);
    if cores < 2 || layout.partners.entries() == 0 || schedule.steps == 0 {
        return;
    }
    let scale = scale(layout, schedule.reach, rng);
    if scale <= 0.0 {
        return;
    }
    let factor = root(schedule.cold / schedule.hot, schedule.steps);
    let mut temperature = scale * schedule.hot;
    let mut reach = f64::from(schedule.reach);
    let narrowing = root(1.5 / reach, schedule.steps);
    let tries =
        (u64::from(cores).saturating_mul(schedule.moves) / u64::from(schedule.steps)).max(1);
    for _ in 0..schedule.steps {
        step(layout, tries, temperature, reach, rng);
        temperature *= factor;
        reach *= narrowing;
    }
    step(layout, tries, 0.0, reach, rng);
}

/// The `n`-th root of a number between 0 and 1; 1 of larger ones. By halving: mathematical libraries round differently
/// from machine to machine, and a placement is to be the same on all of them.
fn root(value: f64, n: u32) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..f64::MANTISSA_DIGITS {
        let middle = f64::midpoint(low, high);
        let power = (0..n).fold(1.0, |power, _| power * middle);
        if power < value { low = middle } else { high = middle }
    }
    high
}

/// Mean change of cost of random moves that change it, up or down.
fn scale(layout: &Layout<'_>, reach: u32, rng: &mut Rng) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for _ in 0..1000 {
        if let Some((core, site, to)) = window(layout, f64::from(reach), rng) {
            let delta = layout.delta(core, to, site).abs();
            if delta > 0.0 {
                sum += delta;
                count += 1.0;
            }
        }
    }
    if count > 0.0 { sum / count } else { 0.0 }
}

fn step(layout: &mut Layout<'_>, tries: u64, temperature: f64, reach: f64, rng: &mut Rng) {
    for i in 0..tries {
        let proposal = if i % 2 == 0 { window(layout, reach, rng) } else { beside(layout, rng) };
        let Some((core, site, to)) = proposal else { continue };
        let delta = layout.delta(core, to, site);
        if delta <= 0.0 || (temperature > 0.0 && accepts(delta / temperature, rng)) {
            layout.go(core, to, site);
        }
    }
}

/// Whether a rise is taken: with probability 1 / (1 + x + x²/2 + x³/6 + x⁴/24), in place of e⁻ˣ. Arithmetic alone, so that
/// every machine decides alike, and quicker.
fn accepts(x: f64, rng: &mut Rng) -> bool {
    rng.unit() * (1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x / 24.0)))) < 1.0
}

/// A random core, and a random site of another router in reach.
fn window(layout: &Layout<'_>, reach: f64, rng: &mut Rng) -> Option<(u32, u32, [u32; 2])> {
    let core = rng.below(u32::try_from(layout.site_of.len()).ok()?);
    around(layout, core, layout.router_of(core), reach, rng)
}

/// A random core, and a random site next to one of its partners.
fn beside(layout: &Layout<'_>, rng: &mut Rng) -> Option<(u32, u32, [u32; 2])> {
    let core = rng.below(u32::try_from(layout.site_of.len()).ok()?);
    let partners = layout.partners.of_core(core);
    if partners.is_empty() {
        return None;
    }
    let partner = partners[rng.below(u32::try_from(partners.len()).ok()?) as usize].0;
    around(layout, core, layout.router_of(partner), 1.0, rng)
}

fn around(
    layout: &Layout<'_>,
    core: u32,
    [x, y]: [u32; 2],
    reach: f64,
    rng: &mut Rng,
) -> Option<(u32, u32, [u32; 2])> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a reach is from 1 to the extent of a mesh"
    )]
    let reach = reach.round() as u32;
    let board = layout.board;
    let mut pick = |at: u32, end: u32| {
        let low = at.saturating_sub(reach);
        let high = (at + reach + 1).min(end);
        low + rng.below(high - low)
    };
    let to = [pick(x, board.cols()), pick(y, board.rows())];
    if to == layout.router_of(core) {
        return None;
    }
    let slot = if board.slots == 1 { 0 } else { rng.below(board.slots) };
    let site = board.site(to, slot);
    debug_assert!(site != NONE, "boards have fewer sites");
    Some((core, site, to))
}

#[cfg(test)]
mod tests {
    use super::root;

    #[test]
    fn roots_are_those_of_the_library() {
        for (value, n) in [(0.01, 100), (0.5, 1), (1.0 / 3.0, 7), (1.0, 3), (4.0, 2)] {
            let expected = f64::powf(value, 1.0 / f64::from(n)).min(1.0);
            assert!((root(value, n) - expected).abs() < 1e-12, "{value} {n}");
        }
    }
}
