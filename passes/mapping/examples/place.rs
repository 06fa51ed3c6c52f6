//! Places traffic from files and prints what it comes to.
//!
//! `place FILE.. [--mesh loihi64|loihi84|loihi1] [--chips 4x2] [--effort fast|balanced|best] [--seeds 5] [--svg FILE]`
//!
//! Each file lists one flow per line: source core, target core, messages per step. `grid:N` in place of a file makes N cores that send to
//! those around them in a plane and, little, to any other. Seconds are processor time of this thread
//! (`/proc/thread-self/schedstat`) per placement, of which there is one per seed.
#![expect(clippy::print_stdout, reason = "prints what it measures")]

use snnc_mapping::partition::Effort;
use snnc_mapping::picture::{Picture, Resource, svg};
use snnc_mapping::place::{Mesh, Report, Traffic, place, report};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut effort = Effort::Balanced;
    let mut mesh = Mesh::loihi64();
    let mut seeds = 5_u32;
    let mut picture = None;
    let mut files = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--effort" => {
                effort = match value()?.as_str() {
                    "fast" => Effort::Fast,
                    "balanced" => Effort::Balanced,
                    "best" => Effort::Best,
                    other => return Err(format!("no effort {other}").into()),
                }
            }
            "--mesh" => {
                mesh = match value()?.as_str() {
                    "loihi64" => Mesh::loihi64(),
                    "loihi84" => Mesh::loihi84(),
                    "loihi1" => Mesh::loihi1([1, 1]),
                    other => return Err(format!("no mesh {other}").into()),
                }
            }
            "--chips" => {
                let text = value()?;
                let (x, y) = text.split_once('x').ok_or("chips are given like 4x2")?;
                mesh.chips = [x.parse()?, y.parse()?];
            }
            "--seeds" => seeds = value()?.parse()?,
            "--svg" => picture = Some(value()?),
            _ => files.push(arg),
        }
    }
    for file in &files {
        measure(file, &mesh, effort, seeds, picture.as_deref())?;
    }
    Ok(())
}

fn read(file: &str) -> Result<Traffic, Box<dyn Error>> {
    if let Some(cores) = file.strip_prefix("grid:") {
        return Ok(plane(cores.parse()?));
    }
    let mut flows: Vec<(u32, u32, f64)> = Vec::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let mut fields = line.split_whitespace();
        let mut field = || fields.next().ok_or_else(|| format!("{file}: three fields a line"));
        flows.push((field()?.parse()?, field()?.parse()?, field()?.parse()?));
    }
    let cores = flows.iter().map(|f| f.0.max(f.1) + 1).max().unwrap_or(0);
    Ok(Traffic::from_flows(cores, flows))
}

/// Cores in a plane, shuffled: eight neighbors each, and one core anywhere.
fn plane(cores: u32) -> Traffic {
    let side = cores.isqrt().max(1);
    // A permutation: multiplication by a number without common factors.
    let factor = (7919..9000).find(|f| gcd(*f, cores) == 1).unwrap_or(1);
    let name = |core: u32| {
        let product = u64::from(core) * u64::from(factor) % u64::from(cores);
        u32::try_from(product).unwrap_or(0)
    };
    let flows = (0..cores).flat_map(move |core| {
        let (x, y) = (core % side, core / side);
        let around = (0..9).filter_map(move |i| {
            let (a, b) = ((x + i % 3).checked_sub(1)?, (y + i / 3).checked_sub(1)?);
            let other = b * side + a;
            (a < side && other < cores).then_some((core, other, 1.0 + f64::from(core % 5)))
        });
        around.chain([(core, (core * 31 + 17) % cores, 0.2)])
    });
    Traffic::from_flows(cores, flows.map(|(a, b, rate)| (name(a), name(b), rate)))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn measure(
    file: &str,
    mesh: &Mesh,
    effort: Effort,
    seeds: u32,
    picture: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let traffic = read(file)?;
    let before = processor_seconds()?;
    let placements = (0..u64::from(seeds))
        .map(|seed| place(&traffic, mesh, effort, seed))
        .collect::<Result<Vec<_>, _>>()?;
    let seconds = (processor_seconds()? - before) / f64::from(seeds);
    let reports: Vec<Report> = placements.iter().map(|p| report(&traffic, mesh, p)).collect();
    let mean = |pick: fn(&Report) -> f64| reports.iter().map(pick).sum::<f64>() / f64::from(seeds);
    let energies = reports.iter().map(|r| r.energy);
    println!(
        "{file}: {} cores, {} flows, km1 {:.0}; energy {:.0} ({:.0} to {:.0}, bound {:.0}), hops {:.3}, \
         link {:.0}, router {:.0}, between chips {:.0}; {seconds:.3} s",
        traffic.cores(),
        traffic.flows(),
        traffic.total(),
        mean(|r| r.energy),
        energies.clone().fold(f64::INFINITY, f64::min),
        energies.fold(0.0, f64::max),
        mean(|r| r.energy_bound),
        mean(|r| r.mean_hops),
        mean(|r| r.busiest_link.map_or(0.0, |b| b.messages)),
        mean(|r| r.busiest_router.map_or(0.0, |b| b.messages)),
        mean(|r| r.between_chips),
    );
    if let (Some(path), Some(placement), Some(first)) =
        (picture, placements.first(), reports.first())
    {
        let mut used = vec![0.0; traffic.cores()];
        for (source, target, rate) in traffic.iter() {
            used[source as usize] += rate;
            used[target as usize] += rate;
        }
        let limit = used.iter().copied().fold(0.0, f64::max);
        let loads: Vec<f64> = used.iter().map(|u| u / limit).collect();
        let names: Vec<String> = (0..traffic.cores()).map(|c| format!("part {c}")).collect();
        let text = svg(&Picture {
            title: file,
            facts: &[
                format!("{} cores, energy {:.0} pJ per step", traffic.cores(), first.energy),
                format!("at least {:.0} pJ; mean hops {:.2}", first.energy_bound, first.mean_hops),
            ],
            mesh,
            placement,
            traffic: &traffic,
            names: &names,
            load: "messages sent and received, part of the busiest core's",
            loads: &loads,
            resources: &[Resource { name: "messages".to_owned(), limit, used }],
        });
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().unwrap_or("").parse()?;
    Ok(nanoseconds / 1e9)
}
