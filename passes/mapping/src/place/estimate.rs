//! Energy and time of a step on a chip whose figures per operation are published: Loihi 1.
//!
//! A closed form over counts, no simulation. Two published sets of figures are used as they are, each with its own way of counting,
//! and the answer is the range between them. They differ by about 1.5 on synapses and more on spikes, so this is
//! an *estimate*: good for comparing mappings and for orders of magnitude. Static power, the host, learning and waiting
//! in full queues are in neither.

use super::{Mesh, Placement, Traffic};
use std::fmt;

/// What one core does in a step, on average over steps or in a step of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CoreWork {
    /// Synaptic events of dense lists (without an index per synapse).
    pub dense_events: f64,
    /// Synaptic events of sparse lists.
    pub sparse_events: f64,
    /// Synaptic events of shared kernels.
    pub kernel_events: f64,
    /// Neurons on the core: each is visited in each step.
    pub neurons: f64,
    /// Neurons whose state changes. If that is not known, all of them.
    pub updates: f64,
    /// Spikes of the core's neurons.
    pub spikes: f64,
    /// Messages, and the links that they pass.
    pub messages: Messages,
}

/// Messages of a core per step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Messages {
    /// Sent to other cores.
    pub sent: f64,
    /// Received from other cores.
    pub received: f64,
    /// Links along x that the sent ones pass, added up.
    pub links_x: f64,
    /// Links along y, likewise.
    pub links_y: f64,
}

/// Messages of every core of a placement. Empty if the placement does not belong to the traffic and mesh.
pub fn messages(traffic: &Traffic, mesh: &Mesh, placement: &Placement) -> Vec<Messages> {
    if !placement.is_valid(mesh) || placement.cells.len() != traffic.cores() {
        return Vec::new();
    }
    let mut cores = vec![Messages::default(); traffic.cores()];
    for (source, target, rate) in traffic.iter() {
        let [a, b] = [source, target].map(|core| mesh.router(placement.cells[core as usize]));
        let core = &mut cores[source as usize];
        core.sent += rate;
        core.links_x += rate * f64::from(a[0].abs_diff(b[0]));
        core.links_y += rate * f64::from(a[1].abs_diff(b[1]));
        cores[target as usize].received += rate;
    }
    cores
}

/// Chips that one may ask about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chip {
    /// Loihi 1, 14 nm.
    Loihi1,
    /// Loihi 2.
    Loihi2,
    /// Any other, a research preset among them.
    Other,
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoEstimate {
    /// Loihi 2.
    #[error("no figures per operation of Loihi 2 are public")]
    Loihi2,
    /// Another chip.
    #[error("no figures per operation of this chip are known here")]
    Other,
}

/// Energy in pJ and time in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// pJ.
    pub energy: f64,
    /// ns.
    pub time: f64,
}

const fn cost(energy: f64, time: f64) -> Cost {
    Cost { energy, time }
}

/// A published set of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Where they are published.
    pub source: &'static str,
    /// One synaptic event of a dense list.
    pub dense: Cost,
    /// One of a sparse list.
    pub sparse: Cost,
    /// One of a shared kernel.
    pub kernel: Cost,
    /// A neuron in a step, whatever it does.
    pub neuron: Cost,
    /// What it takes more if its state changes.
    pub update: Cost,
    /// What it takes more if it fires.
    pub spike: Cost,
    /// A message that is sent.
    pub sent: Cost,
    /// A message that is received.
    pub received: Cost,
    /// A link along x (east or west).
    pub link_x: Cost,
    /// A link along y (north or south).
    pub link_y: Cost,
    /// Time of the barrier that ends a step in ns, by tiles (routers with their cores) in use: up to so many tiles, so long. Between two entries
    /// the longer one holds; beyond the last, the last, as nothing is published for several chips.
    pub barrier: &'static [(u32, f64)],
}

/// Davies et al. 2018: before silicon, at 0.75 V. An active neuron is taken as one whose state changes. For the barrier the
/// two published ends, one tile and 32.
pub const DAVIES: Figures = Figures {
    source: "Davies et al., Loihi, IEEE Micro 38(1), 2018",
    dense: cost(23.6, 3.5),
    sparse: cost(23.6, 3.5),
    kernel: cost(23.6, 3.5),
    neuron: cost(52.0, 5.3),
    update: cost(29.0, 3.1),
    spike: cost(0.0, 0.0),
    sent: cost(1.7, 2.1),
    received: cost(0.0, 0.0),
    link_x: cost(3.0, 4.1),
    link_y: cost(4.0, 6.5),
    barrier: &[(1, 113.0), (32, 465.0)],
};

/// The Loihi description of the simulator SANA-FE.
pub const SANA_FE: Figures = Figures {
    source: "SANA-FE 2.2.9, arch/loihi.yaml",
    dense: cost(35.5, 3.8),
    sparse: cost(33.6, 4.7),
    kernel: cost(24.0, 3.1),
    neuron: cost(51.2, 6.0),
    update: cost(21.6, 3.7),
    spike: cost(69.3, 30.0),
    sent: cost(111.0, 5.1),
    received: cost(0.0, 16.0),
    link_x: cost(3.0, 4.1),
    link_y: cost(4.2, 6.5),
    barrier: &[(1, 600.0), (2, 1000.0), (4, 1400.0), (29, 1800.0)],
};

/// Both ends of an estimated quantity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Range {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Range {
    fn of(a: f64, b: f64) -> Self {
        Self { low: a.min(b), high: a.max(b) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(1);
        write!(f, "{:.digits$} to {:.digits$}", self.low, self.high)
    }
}

/// What a step takes by one set of figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// The figures.
    pub figures: Figures,
    /// Synaptic events, in pJ.
    pub synapses: f64,
    /// Neurons, their updates and spikes, in pJ.
    pub neurons: f64,
    /// Messages and links, in pJ.
    pub messages: f64,
    /// Time of the core that takes longest, or of the busiest link if that is longer, in ns.
    pub busiest: f64,
    /// That core; the first of several.
    pub busiest_core: usize,
    /// Time of the barrier, in ns.
    pub barrier: f64,
}

impl Account {
    /// Energy of a step in pJ.
    pub fn energy(&self) -> f64 {
        self.synapses + self.neurons + self.messages
    }

    /// Time of a step in ns: the cores work at the same time, then wait for each other.
    pub fn time(&self) -> f64 {
        self.busiest + self.barrier
    }
}

/// Energy and time of a step, estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Energy in pJ per step.
    pub energy: Range,
    /// Time in ns per step.
    pub time: Range,
    /// By each set of figures.
    pub accounts: [Account; 2],
}

/// Estimates a step. `tiles` is the number of routers with a core on them, `busiest_link` the messages per step on the busiest link:
/// both stand in the [`Report`](super::Report) of a placement.
///
/// # Errors
/// For chips without published figures.
pub fn estimate(
    chip: Chip,
    cores: &[CoreWork],
    tiles: u32,
    busiest_link: f64,
) -> Result<Estimate, NoEstimate> {
    match chip {
        Chip::Loihi1 => {}
        Chip::Loihi2 => return Err(NoEstimate::Loihi2),
        Chip::Other => return Err(NoEstimate::Other),
    }
    let accounts = [DAVIES, SANA_FE].map(|figures| account(figures, cores, tiles, busiest_link));
    let [a, b] = &accounts;
    Ok(Estimate {
        energy: Range::of(a.energy(), b.energy()),
        time: Range::of(a.time(), b.time()),
        accounts,
    })
}

fn account(figures: Figures, cores: &[CoreWork], tiles: u32, busiest_link: f64) -> Account {
    let entry = figures.barrier.iter().find(|(most, _)| tiles <= *most);
    let barrier = entry.or(figures.barrier.last()).map_or(0.0, |(_, time)| *time);
    let mut account = Account {
        figures,
        synapses: 0.0,
        neurons: 0.0,
        messages: 0.0,
        busiest: 0.0,
        busiest_core: 0,
        barrier,
    };
    let sum = |terms: &[(f64, Cost)], pick: fn(&Cost) -> f64| {
        terms.iter().map(|(count, cost)| count * pick(cost)).sum::<f64>()
    };
    for (index, core) in cores.iter().enumerate() {
        let synapses = [
            (core.dense_events, figures.dense),
            (core.sparse_events, figures.sparse),
            (core.kernel_events, figures.kernel),
        ];
        let neurons = [
            (core.neurons, figures.neuron),
            (core.updates, figures.update),
            (core.spikes, figures.spike),
        ];
        let ends = [(core.messages.sent, figures.sent), (core.messages.received, figures.received)];
        let links =
            [(core.messages.links_x, figures.link_x), (core.messages.links_y, figures.link_y)];
        account.synapses += sum(&synapses, |c| c.energy);
        account.neurons += sum(&neurons, |c| c.energy);
        account.messages += sum(&ends, |c| c.energy) + sum(&links, |c| c.energy);
        // Links carry messages while cores go on.
        let time = sum(&synapses, |c| c.time) + sum(&neurons, |c| c.time) + sum(&ends, |c| c.time);
        if time > account.busiest {
            (account.busiest, account.busiest_core) = (time, index);
        }
    }
    let link = busiest_link * figures.link_x.time.max(figures.link_y.time);
    account.busiest = account.busiest.max(link);
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closed_form_is_what_the_simulator_reports() {
        // A run of SANA-FE over 100 steps: 60 thousand events a step on the busiest core, 72.1 thousand in all, took 28.3 ms and
        // 242.3 µJ for synapses.
        let busy = CoreWork { sparse_events: 60_000.0, ..CoreWork::default() };
        let other = CoreWork { sparse_events: 12_100.0, ..CoreWork::default() };
        let estimate = estimate(Chip::Loihi1, &[other, busy], 1, 0.0).unwrap();
        let [davies, sana] = &estimate.accounts;
        assert!((sana.synapses * 100.0 / 1e6 - 242.3).abs() < 0.1);
        assert!((sana.time() * 100.0 / 1e6 - 28.3).abs() < 0.1);
        assert_eq!((sana.busiest_core, davies.busiest_core), (1, 1));
        assert!(davies.energy() < sana.energy());
        assert_eq!(estimate.energy, Range { low: davies.energy(), high: sana.energy() });
        assert_eq!(format!("{:.0}", Range { low: 1.2, high: 3.0 }), "1 to 3");
    }

    #[test]
    fn every_count_has_its_price() {
        let core = CoreWork {
            dense_events: 1.0,
            sparse_events: 1.0,
            kernel_events: 1.0,
            neurons: 10.0,
            updates: 2.0,
            spikes: 1.0,
            messages: Messages { sent: 3.0, received: 2.0, links_x: 4.0, links_y: 1.0 },
        };
        let estimate = estimate(Chip::Loihi1, &[core], 5, 0.0).unwrap();
        let [davies, sana] = &estimate.accounts;
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        close(davies.energy(), 3.0 * 23.6 + 8.0 * 52.0 + 2.0 * 81.0 + 3.0 * 1.7 + 12.0 + 4.0);
        close(davies.time(), 3.0 * 3.5 + 8.0 * 5.3 + 2.0 * 8.4 + 3.0 * 2.1 + 465.0);
        close(sana.synapses, 35.5 + 33.6 + 24.0);
        close(sana.neurons, 512.0 + 43.2 + 69.3);
        close(sana.messages, 333.0 + 12.0 + 4.2);
        close(sana.time(), 11.6 + 60.0 + 7.4 + 30.0 + 15.3 + 32.0 + 1800.0);
        // A link that many messages pass takes longer than the core.
        let linked = super::estimate(Chip::Loihi1, &[core], 1, 1000.0).unwrap();
        close(linked.accounts[0].time(), 6500.0 + 113.0);
    }

    #[test]
    fn chips_without_published_figures_get_none() {
        assert_eq!(estimate(Chip::Loihi2, &[], 1, 0.0), Err(NoEstimate::Loihi2));
        assert!(NoEstimate::Loihi2.to_string().contains("no figures per operation"));
        assert_eq!(estimate(Chip::Other, &[], 1, 0.0), Err(NoEstimate::Other));
    }

    #[test]
    fn messages_of_cores_count_links_by_direction() {
        let mesh = Mesh::square(4, 1.0, 1.0);
        let traffic = Traffic::from_flows(3, [(0, 1, 2.0), (0, 2, 1.0), (2, 0, 4.0)]);
        let placement = Placement { cells: vec![0, 3, 9] };
        let cores = messages(&traffic, &mesh, &placement);
        assert_eq!(cores[0], Messages { sent: 3.0, received: 4.0, links_x: 7.0, links_y: 2.0 });
        assert_eq!(cores[2], Messages { sent: 4.0, received: 1.0, links_x: 4.0, links_y: 8.0 });
        assert!(messages(&traffic, &mesh, &Placement { cells: vec![0, 0, 1] }).is_empty());
    }
}
