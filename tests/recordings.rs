//! What `snnc run` writes: spikes, events and membranes of the same runs, by any number of threads.

mod common;

use common::{Place, compiled, repo};
use snnc::frontend::arrays::{Array, ArrayData, read_npz};
use std::collections::BTreeMap;

type Arrays = BTreeMap<String, Array>;

fn read(place: &Place, name: &str) -> Arrays {
    read_npz(&place.path(name)).unwrap_or_else(|e| panic!("{e}")).into_iter().collect()
}

fn f64s(array: &Array) -> Vec<f64> {
    array.to_f64().expect("all these types fit")
}

fn indices(array: &Array) -> Vec<usize> {
    let ArrayData::U32(values) = &array.data else { panic!("{} for u32", array.data.type_name()) };
    values.iter().map(|&v| usize::try_from(v).expect("small")).collect()
}

/// The dense arrays that events stand for; samples of the file begin with `first`.
fn dense(events: &Arrays, name: &str, shape: &[usize], first: usize) -> (Vec<f64>, Vec<f64>) {
    let size = shape.iter().product();
    let (mut spikes, mut messages) = (vec![0.0; size], vec![0.0; size]);
    let [sample, step, neuron] =
        ["sample", "step", "neuron"].map(|what| indices(&events[&format!("{what}_{name}")]));
    let values = events.get(&format!("value_{name}")).map(f64s);
    let mut before = None;
    for (i, ((sample, step), neuron)) in sample.into_iter().zip(step).zip(neuron).enumerate() {
        let place = ((sample - first) * shape[1] + step) * shape[2] + neuron;
        assert!(before < Some(place), "events are in order");
        before = Some(place);
        spikes[place] = 1.0;
        messages[place] = values.as_ref().map_or(0.0, |values| values[i]);
    }
    (spikes, messages)
}

/// Runs on several threads and compares all that is written.
fn agree(place: &Place, arguments: &[&str], traced: bool) {
    let mut first = None;
    for threads in ["1", "2", "3"] {
        let files = ["--spikes", "o.npz", "--events", "e.npz", "--threads", threads];
        let traces = if traced { &["--traces", "t.npz"][..] } else { &[] };
        let run = [&["run"], arguments, &["--samples", "3..8"], &files, traces].concat();
        let stdout = place.run(&run).exits(0).stdout;
        let names = ["o.npz", "e.npz", "t.npz"].into_iter().take(2 + usize::from(traced));
        let bytes: Vec<Vec<u8>> = names.map(|name| place.read(name)).collect();
        let found = (stdout, bytes);
        assert!(*first.get_or_insert_with(|| found.clone()) == found, "{arguments:?} {threads}");
    }
    let (dense_file, events) = (read(place, "o.npz"), read(place, "e.npz"));
    let mut sent = 0.0;
    for (name, array) in &dense_file {
        let Some(population) = name.strip_prefix("spikes_") else { continue };
        let (spikes, messages) = dense(&events, population, &array.shape, 3);
        assert_eq!(f64s(array), spikes, "{arguments:?} {name}");
        sent += spikes.iter().sum::<f64>();
        if let Some(values) = dense_file.get(&format!("messages_{population}")) {
            assert_eq!(f64s(values), messages, "{arguments:?} {name}");
        }
    }
    assert!(sent > 0.0, "{arguments:?} sends something");
    if !traced {
        return;
    }
    let traces = read(place, "t.npz");
    let populations = traces.keys().filter_map(|name| name.strip_prefix("h_"));
    for population in populations {
        let spikes = &dense_file[&format!("spikes_{population}")];
        let [h, v] = ["h", "v"].map(|register| &traces[&format!("{register}_{population}")]);
        assert_eq!((&h.shape, &v.shape), (&spikes.shape, &spikes.shape), "{population}");
        let (h, v, spikes) = (f64s(h), f64s(v), f64s(spikes));
        assert!(h.iter().any(|x| *x != 0.0), "{population} has membranes");
        for ((h, v), spike) in h.iter().zip(&v).zip(&spikes) {
            assert!(*spike > 0.0 || h.total_cmp(v).is_eq(), "{population}: only a spike resets");
        }
    }
}

#[test]
fn spikes_events_and_membranes_are_of_the_same_runs() {
    let place = compiled();
    agree(&place, &["art", "--stimulus", "s.npz"], false);
    agree(&place, &["art", "--stimulus", "s.npz", "--level", "scheduled"], true);
    agree(&place, &["g.json", "--stimulus", "s.npz"], true);
    // Graded messages.
    let genome = repo("tests/fixtures/clips.genome.json").display().to_string();
    let stimulus = repo("tests/fixtures/clips.npz").display().to_string();
    let run = [&genome, "--stimulus", &stimulus, "--level", "quantized", "-t", "loihi2"];
    agree(&place, &run, true);
    assert!(read(&place, "e.npz").keys().any(|name| name.starts_with("value_")));
}

#[test]
fn probes_choose_populations() {
    let place = compiled();
    let run = ["run", "art", "--level", "quantized", "--stimulus", "s.npz", "--samples", "2"];
    let run = |more: &[&str]| place.run(&[&run[..], more].concat());
    run(&["--traces", "all.npz"]).exits(0);
    run(&["--traces", "some.npz", "--probe", "c", "--probe", "a"]).exits(0);
    let (all, some) = (read(&place, "all.npz"), read(&place, "some.npz"));
    assert_eq!(some.keys().collect::<Vec<_>>(), ["h_a", "h_c", "u_a", "u_c", "v_a", "v_c"]);
    for (name, array) in &some {
        assert_eq!(array, &all[name], "{name}");
    }
    assert!(all.contains_key("v_b"));
    let before = place.names();
    let said = run(&["--traces", "no.npz", "--probe", "zz"]).exits(2);
    assert!(said.stderr.contains("populations with membranes: a, b, c"), "{}", said.stderr);
    run(&["--probe", "a"]).exits(2);
    let said = place.run(&["run", "art", "--stimulus", "s.npz", "--traces", "no.npz"]).exits(2);
    assert!(said.stderr.contains("--level scheduled"), "{}", said.stderr);
    run(&["--spikes", "nowhere/o.npz"]).exits(2);
    assert_eq!(place.names(), before);
}
