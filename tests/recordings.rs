//! What `snnc run` writes: spikes, events and membranes of the same runs, by any number of threads.

mod common;

use common::{Place, compiled, repo};
use snnc::frontend::arrays::{Array, ArrayData, read_npz};
use snnc::frontend::nir::{self, Observable, Recorded, Recording};
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

/// The observables of a NIR recording, by node and name.
fn observables(place: &Place, name: &str) -> BTreeMap<(String, String), Observable> {
    let read = nir::read_any(place.read(name)).unwrap_or_else(|e| panic!("{e}"));
    let nir::Any::Recording(recording, warnings) = read else { panic!("{name} is a graph") };
    assert!(warnings.is_empty(), "{warnings}");
    let mut found = BTreeMap::new();
    recording.visit(&mut |node, name, observable| {
        found.insert((node.to_owned(), name.to_owned()), observable.clone());
    });
    found
}

#[test]
fn nir_recordings_hold_what_arrays_hold() {
    let place = compiled();
    let genome = repo("tests/fixtures/clips.genome.json").display().to_string();
    let stimulus = repo("tests/fixtures/clips.npz").display().to_string();
    let run = ["run", &genome, "--stimulus", &stimulus, "--level", "quantized", "-t", "loihi2"];
    let files = |end: &str| ["o", "e", "t"].map(|name| format!("{name}.{end}"));
    for end in ["npz", "nir"] {
        let [o, e, t] = files(end);
        place.run(&[&run[..], &["--spikes", &o, "--events", &e, "--traces", &t]].concat()).exits(0);
    }
    let (arrays, traces) = (read(&place, "o.npz"), read(&place, "t.npz"));
    let gridded = |found: &Observable| {
        let Observable::Gridded { data, dt } = found else { panic!("no gridded data") };
        assert_eq!(dt.to_bits(), 1.0_f64.to_bits(), "steps, where their length is not known");
        (data.shape.clone(), f64s(data))
    };
    let mut compared = 0;
    for ((node, name), found) in observables(&place, "o.nir") {
        let prefix = if name == "values" { "input" } else { &name };
        let array =
            arrays.get(&format!("{prefix}_{node}")).or(arrays.get(&format!("input_{node}")));
        let array = array.unwrap_or_else(|| panic!("{node} {name}"));
        let (shape, values) = gridded(&found);
        assert_eq!(values, f64s(array), "{node} {name}");
        assert_eq!(shape.iter().product::<usize>(), array.shape.iter().product::<usize>());
        compared += 1;
    }
    assert_eq!(compared, arrays.len());
    let mut sent = 0;
    for ((node, name), found) in observables(&place, "e.nir") {
        let Observable::Events { idx, time, value, n_neurons, .. } = found else {
            panic!("no events")
        };
        let shape = &arrays[&format!("spikes_{node}")].shape;
        assert_eq!(n_neurons, shape[2] as u64);
        let mut dense = vec![0.0; shape.iter().product()];
        let (idx, time, value) = (f64s(&idx), f64s(&time), value.as_ref().map(f64s));
        for (i, (&n, &t)) in idx.iter().zip(&time).enumerate().filter(|(_, (n, _))| **n >= 0.0) {
            let sample = i / (idx.len() / shape[0]);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let [t, n] = [t, n].map(|x| x as usize);
            let at = (sample * shape[1] + t) * shape[2] + n;
            dense[at] = value.as_ref().map_or(1.0, |v| v[i]);
            sent += 1;
        }
        assert_eq!(dense, f64s(&arrays[&format!("{name}_{node}")]), "{node} {name}");
    }
    assert!(sent > 0);
    let found = observables(&place, "t.nir");
    assert_eq!(found.len(), traces.len());
    for ((node, name), found) in found {
        let array = &traces[&format!("{name}_{node}")];
        assert_eq!(gridded(&found), (array.shape.clone(), f64s(array)), "{node} {name}");
    }
}

#[test]
fn a_recording_is_a_stimulus() {
    let place = compiled();
    let run = |more: &[&str]| place.run(&[&["run", "g.json"], more].concat());
    let first = run(&["--stimulus", "s.npz", "--spikes", "a.npz", "--events", "e.nir"]).exits(0);
    run(&["--stimulus", "s.npz", "--spikes", "a.nir"]).exits(0);
    let again = run(&["--stimulus", "a.nir", "--spikes", "b.npz"]).exits(0);
    assert!(place.read("a.npz") == place.read("b.npz"), "the same spikes, input included");
    assert_eq!(first.stdout.lines().count(), again.stdout.lines().count());
    // As events of the input node.
    let spikes = observables(&place, "a.nir")
        .into_iter()
        .find_map(|((node, name), o)| (node == "in" && name == "input").then_some(o));
    let Some(Observable::Gridded { data, .. }) = spikes else { panic!("no spikes of the input") };
    let [samples, steps, neurons] = data.shape[..] else { panic!("three extents") };
    let events = |shift: f64, twice: bool| {
        let values = f64s(&data);
        let mut lists = vec![Vec::new(); samples];
        for (i, _) in values.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            let (sample, step) = (i / (steps * neurons), i / neurons % steps);
            for _ in 0..=u8::from(twice) {
                let [step, neuron] = [step, i % neurons].map(|n| u32::try_from(n).expect("small"));
                lists[sample].push((i64::from(neuron), f64::from(step) + shift));
            }
        }
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        for list in &mut lists {
            list.resize(longest, (-1, f64::INFINITY));
        }
        let all = lists.concat();
        let array = |data| Array { shape: vec![samples, longest], data };
        let observable = Observable::Events {
            idx: array(ArrayData::I64(all.iter().map(|e| e.0).collect())),
            time: array(ArrayData::F64(all.iter().map(|e| e.1).collect())),
            value: None,
            n_neurons: neurons as u64,
            #[expect(clippy::cast_precision_loss, reason = "small")]
            t_max: steps as f64,
        };
        let node = Recorded::Node([("seen".to_owned(), observable)].into());
        let recording = Recording { nodes: [("in".to_owned(), node)].into() };
        nir::write_recording(&recording).unwrap_or_else(|e| panic!("{e}")).bytes
    };
    place.write("events.nir", events(0.0, false));
    run(&["--stimulus", "events.nir", "--spikes", "c.npz"]).exits(0);
    assert!(place.read("a.npz") == place.read("c.npz"));
    place.write("off.nir", events(0.25, false));
    let said = run(&["--stimulus", "off.nir"]).exits(2);
    assert!(said.stderr.contains("lies between two steps"), "{}", said.stderr);
    place.write("twice.nir", events(0.0, true));
    let said = run(&["--stimulus", "twice.nir"]).exits(2);
    assert!(said.stderr.contains("second of its neuron in one step"), "{}", said.stderr);
}
