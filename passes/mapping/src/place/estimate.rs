//! Energy and time of a step in closed form: counts times what is published of a chip, no simulation.
//!
//! Published figures differ, by about 1.5 on synapses and more on spikes, so whoever has two sets of [`Figures`], the lowest and the highest, gets
//! a range: an *estimate*, good for comparing mappings and for orders of magnitude. Static power, the host, learning and waiting in
//! full queues are no part of it.

use super::{Mesh, Placement, Traffic};

/// What one core does in a step, on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CoreWork {
    /// Synaptic events: one for each synapse that a spike or message reaches.
    pub events: f64,
    /// Neurons on the core: each is visited in each step.
    pub neurons: f64,
    /// Spikes and messages that they send, each counted once.
    pub spikes: f64,
    /// Spikes that come from outside.
    pub injected: f64,
    /// Messages from and to other cores.
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

/// What an operation takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// pJ.
    pub energy: f64,
    /// ns.
    pub time: f64,
}

/// A set of figures of a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// A synaptic event.
    pub synapse: Cost,
    /// A neuron that does not fire, in a step.
    pub neuron: Cost,
    /// A neuron that fires, in a step.
    pub firing: Cost,
    /// A message, for the core that sends it.
    pub sent: Cost,
    /// A message or a spike from outside, for the core that takes it in, in ns.
    pub arrival: f64,
    /// A message in each router, those of both ends included, in pJ.
    pub router: f64,
    /// A link along x (east or west).
    pub link_x: Cost,
    /// A link along y (north or south).
    pub link_y: Cost,
    /// The barrier that ends a step, in ns.
    pub barrier: f64,
}

/// What a step takes by one set of figures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Account {
    /// Synaptic events, in pJ.
    pub synapses: f64,
    /// Neurons, in pJ.
    pub neurons: f64,
    /// Messages on their way, in pJ.
    pub messages: f64,
    /// The core that takes longest; the first of several.
    pub busiest_core: usize,
    /// Its time, in ns.
    pub core: f64,
    /// Time of the busiest link, in ns.
    pub link: f64,
    /// Time of the barrier, in ns.
    pub barrier: f64,
}

impl Account {
    /// Energy of a step in pJ.
    pub fn energy(&self) -> f64 {
        self.synapses + self.neurons + self.messages
    }

    /// Time of a step in ns: cores and links work at the same time, then the cores wait for each other.
    pub fn time(&self) -> f64 {
        self.core.max(self.link) + self.barrier
    }
}

/// Adds up a step. `busiest_link` is the number of messages per step on the busiest link, as it stands in the
/// [`Report`](super::Report) of a placement.
pub fn account(figures: &Figures, cores: &[CoreWork], busiest_link: f64) -> Account {
    let mut account = Account { barrier: figures.barrier, ..Account::default() };
    let sum = |terms: &[(f64, Cost)], pick: fn(&Cost) -> f64| {
        terms.iter().map(|(count, cost)| count * pick(cost)).sum::<f64>()
    };
    for (index, core) in cores.iter().enumerate() {
        let Messages { sent, received, links_x, links_y } = core.messages;
        let synapses = [(core.events, figures.synapse)];
        let silent = (core.neurons - core.spikes).max(0.0);
        let neurons = [(silent, figures.neuron), (core.spikes, figures.firing)];
        let own = [(sent, figures.sent)];
        let links = [(links_x, figures.link_x), (links_y, figures.link_y)];
        account.synapses += sum(&synapses, |c| c.energy);
        account.neurons += sum(&neurons, |c| c.energy);
        // A message over h links passes h + 1 routers.
        let routers = (sent + links_x + links_y) * figures.router;
        account.messages += sum(&own, |c| c.energy) + sum(&links, |c| c.energy) + routers;
        let arrivals = (received + core.injected) * figures.arrival;
        let time = [&synapses[..], &neurons, &own].map(|terms| sum(terms, |c| c.time));
        let time = time.iter().sum::<f64>() + arrivals;
        if time > account.core {
            (account.core, account.busiest_core) = (time, index);
        }
    }
    account.link = busiest_link * figures.link_x.time.max(figures.link_y.time);
    account
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn cost(energy: f64, time: f64) -> Cost {
        Cost { energy, time }
    }

    /// Sparse synapses of the simulator's description of Loihi (SANA-FE 2.2.9, arch/loihi.yaml), neurons that do not change.
    const SANA_FE: Figures = Figures {
        synapse: cost(33.6, 4.7),
        neuron: cost(51.2, 6.0),
        firing: cost(142.1, 39.7),
        sent: cost(111.0, 5.1),
        arrival: 16.0,
        router: 0.0,
        link_x: cost(3.0, 4.1),
        link_y: cost(4.2, 6.5),
        barrier: 600.0,
    };

    #[test]
    fn the_closed_form_is_what_the_simulator_reports() {
        // A run of SANA-FE over 100 steps: 60 thousand events a step on the busiest core, 72.1 thousand in all, took 28.3 ms and
        // 242.3 µJ for synapses.
        let busy = CoreWork { events: 60_000.0, ..CoreWork::default() };
        let other = CoreWork { events: 12_100.0, ..CoreWork::default() };
        let account = account(&SANA_FE, &[other, busy], 0.0);
        assert!((account.synapses * 100.0 / 1e6 - 242.3).abs() < 0.1);
        assert!((account.time() * 100.0 / 1e6 - 28.3).abs() < 0.1);
        assert_eq!(account.busiest_core, 1);
    }

    #[test]
    fn every_count_has_its_price() {
        let core = CoreWork {
            events: 3.0,
            neurons: 10.0,
            spikes: 2.0,
            injected: 1.0,
            messages: Messages { sent: 3.0, received: 2.0, links_x: 4.0, links_y: 1.0 },
        };
        let figures = Figures { router: 1.7, ..SANA_FE };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        let found = account(&figures, &[core], 1.0);
        close(found.synapses, 3.0 * 33.6);
        close(found.neurons, 8.0 * 51.2 + 2.0 * 142.1);
        close(found.messages, 3.0 * 111.0 + 4.0 * 3.0 + 4.2 + 8.0 * 1.7);
        close(found.energy(), found.synapses + found.neurons + found.messages);
        close(found.time(), 3.0 * 4.7 + 8.0 * 6.0 + 2.0 * 39.7 + 3.0 * 5.1 + 3.0 * 16.0 + 600.0);
        // A link that many messages pass takes longer than the core.
        close(account(&figures, &[core], 1000.0).time(), 6500.0 + 600.0);
        assert_eq!(account(&figures, &[], 0.0), Account { barrier: 600.0, ..Account::default() });
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
