//! Stacks of patches against the order in which neurons are numbered.

use super::start;
use crate::bounds;
use crate::layers::LayerFile;
use crate::layers::mapping::block_sizes;
use crate::layers::order::fill;
use crate::layers::pixels::Pixels;
use crate::partition::Limits;

/// On the fewest cores that there can be, with much less traffic.
#[test]
fn stacks_fill_all_cores_and_keep_traffic_on_them() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/layers");
    let loihi64 = Limits { neurons: 1024, inputs: 4096, cores: u32::MAX };
    let loihi84 = Limits { neurons: 4096, inputs: 65_536, cores: u32::MAX };
    let cases = [("pilotnet", loihi64, 2.0), ("resnet20", loihi64, 1.7), ("vgg11", loihi84, 1.8)];
    for (name, limits, gain) in cases {
        let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
        let network = toml::from_str::<LayerFile>(&text).unwrap().check().unwrap();
        let pixels = Pixels::new(&network, &block_sizes(&network, &limits)).unwrap();
        let graph = pixels.hypergraph(&network, None, 1 << 20).unwrap();
        let partition = start(&network, &pixels, &graph, &limits);
        graph.check(&limits, &partition).unwrap();
        let least = bounds::partition(&network, &limits).largest();
        assert_eq!(u64::from(partition.cores), least, "{name}");
        let order: Vec<u32> = (0..u32::try_from(graph.vertices()).unwrap()).collect();
        let natural = graph.km1(&fill(&graph, &limits, &order));
        let traffic = graph.km1(&partition);
        assert!(traffic * gain < natural, "{name}: {traffic} {natural}");
        assert!(bounds::km1(&graph, &limits) <= traffic);
    }
}
